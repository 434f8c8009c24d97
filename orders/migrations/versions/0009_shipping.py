"""Shipping zones and methods."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ExcludeConstraint

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Letters and digits by their codes, so that a range means the same on every server.
    op.execute("""CREATE TYPE text_range AS RANGE (subtype = text, collation = "C")""")
    op.create_table(
        "shipping_zones",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shipping_zones"),
        sa.UniqueConstraint("name", name="uq_shipping_zones_name"),
    )
    op.create_table(
        "zone_members",
        sa.Column("zone_id", sa.UUID, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("region", sa.Text),
        sa.Column("postal_from", sa.Text),
        sa.Column("postal_to", sa.Text),
        sa.PrimaryKeyConstraint("zone_id", "position", name="pk_zone_members"),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["shipping_zones.id"], name="fk_zone_members_zone_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        sa.CheckConstraint("(postal_from IS NULL) = (postal_to IS NULL)", name="two_ends"),
        sa.CheckConstraint("region IS NULL OR postal_from IS NULL", name="one_of_three"),
        sa.CheckConstraint(
            "postal_from ~ '^[A-Z0-9]+$' AND postal_to ~ '^[A-Z0-9]+$'"
            """ AND postal_from COLLATE "C" < postal_to || '~'""",
            name="postal_range",
        ),
        ExcludeConstraint(
            (sa.text("text_range(country || postal_from, country || postal_to || '~')"), "&&"),
            where=sa.text("postal_from IS NOT NULL"),
            name="ex_zone_members_postal_codes",
        ),
    )
    op.create_index("ix_zone_members_country", "zone_members", ["country"])
    op.create_index(
        "uq_zone_members_country",
        "zone_members",
        ["country"],
        unique=True,
        postgresql_where=sa.text("region IS NULL AND postal_from IS NULL"),
    )
    op.create_index(
        "uq_zone_members_country_region",
        "zone_members",
        ["country", "region"],
        unique=True,
        postgresql_where=sa.text("region IS NOT NULL"),
    )
    op.create_table(
        "shipping_methods",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("zone_id", sa.UUID, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tax_class", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("price", sa.Numeric(10, 2), nullable=False),
        sa.Column("free_from", sa.Numeric(10, 2)),
        sa.Column("min_weight_g", sa.BigInteger, nullable=False),
        sa.Column("max_weight_g", sa.BigInteger),
        sa.Column("min_days", sa.BigInteger),
        sa.Column("max_days", sa.BigInteger),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shipping_methods"),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["shipping_zones.id"],
            name="fk_shipping_methods_zone_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("code ~ '^[a-z0-9][a-z0-9_-]*$'", name="code"),
        sa.CheckConstraint("tax_class ~ '^[a-z0-9_]{1,50}$'", name="tax_class"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("price >= 0", name="price"),
        sa.CheckConstraint("free_from >= 0", name="free_from"),
        sa.CheckConstraint("min_weight_g >= 0 AND min_weight_g <= max_weight_g", name="weight"),
        sa.CheckConstraint(
            "min_days >= 0 AND max_days >= 0 AND min_days <= max_days",
            name="days",
        ),
        sa.UniqueConstraint(
            "zone_id", "currency", "code", name="uq_shipping_methods_zone_id_currency_code"
        ),
    )
    op.create_index("ix_shipping_methods_code_id", "shipping_methods", ["code", "id"])
    op.create_index(
        "ix_shipping_methods_active",
        "shipping_methods",
        ["zone_id"],
        postgresql_where=sa.text("active"),
    )


def downgrade() -> None:
    op.drop_table("shipping_methods")
    op.drop_table("zone_members")
    op.drop_table("shipping_zones")
    op.execute("DROP TYPE text_range")
