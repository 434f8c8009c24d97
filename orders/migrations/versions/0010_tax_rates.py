"""Tax rates: one for each tax class in a place at any moment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tax_rates",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("region", sa.Text),
        sa.Column("tax_class", sa.Text, nullable=False),
        sa.Column("rate", sa.Numeric(6, 3), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("valid", postgresql.TSTZRANGE, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "scope",
            sa.Text,
            sa.Computed(
                "country || '/' || coalesce(region, '') || '/' || tax_class", persisted=True
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tax_rates"),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_tax_rates_country")),
        sa.CheckConstraint("tax_class ~ '^[a-z0-9_]{1,50}$'", name=op.f("ck_tax_rates_tax_class")),
        sa.CheckConstraint("rate BETWEEN 0 AND 100", name=op.f("ck_tax_rates_rate")),
        sa.CheckConstraint("(rate = 0) = (reason IS NOT NULL)", name=op.f("ck_tax_rates_reason")),
        sa.CheckConstraint(
            "NOT isempty(valid) AND NOT lower_inf(valid)", name=op.f("ck_tax_rates_valid")
        ),
        postgresql.ExcludeConstraint(
            (sa.text("text_range(scope, scope, '[]')"), "="),
            ("valid", "&&"),
            name="ex_tax_rates_scope_valid",
            using="gist",
        ),
    )
    op.create_index("ix_tax_rates_country", "tax_rates", ["country"])
    op.create_index("ix_tax_rates_newest", "tax_rates", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("tax_rates")
