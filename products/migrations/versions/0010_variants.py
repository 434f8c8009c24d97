"""Products have variants: what is counted and sold.

The one variant of a product that is there gets the product's id, so all numbers that are kept of it
stay as they are. On the way back each further variant becomes a product of its own, of its own id.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FILL = """
    INSERT INTO variants (id, product_id, deleted_at) SELECT id, id, deleted_at FROM products
"""

_AS_PRODUCTS = """
    INSERT INTO products (id, sku, name, description, price, currency, category_id, images,
        attributes, tax_class, version, created_at, updated_at, deleted_at)
    SELECT variants.id, variants.sku,
        left(concat_ws(' ', products.name, (
            SELECT string_agg(value, ' ' ORDER BY options.position, options.id)
            FROM option_values JOIN options ON options.id = option_id
            WHERE option_values.id = ANY(string_to_array(option_key, ',')::bigint[])
        )), 200),
        description, coalesce(variants.price, products.price), currency, category_id,
        CASE WHEN variants.images = '[]' THEN products.images ELSE variants.images END,
        attributes, tax_class, variants.version, created_at, updated_at, variants.deleted_at
    FROM variants JOIN products ON products.id = product_id
    WHERE variants.id <> product_id
"""

#: A product that has no variant of its id has never had stock of its own.
_STOCK_OF_NONE = """
    INSERT INTO stock (variant_id, on_hand, reserved, version)
    SELECT id, 0, 0, 1 FROM products WHERE id NOT IN (SELECT variant_id FROM stock)
"""


def upgrade() -> None:
    _create_options()
    _create_variants()
    op.execute(_FILL)
    _count("variants")


def _create_options() -> None:
    op.create_table(
        "options",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_options_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_options"),
    )
    op.create_index(
        "uq_options_name", "options", ["product_id", sa.text("lower(name)")], unique=True
    )
    op.create_table(
        "option_values",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("option_id", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["option_id"], ["options.id"], name="fk_option_values_option_id"),
        sa.PrimaryKeyConstraint("id", name="pk_option_values"),
    )
    op.create_index(
        "uq_option_values_value",
        "option_values",
        ["option_id", sa.text("lower(value)")],
        unique=True,
    )


def _create_variants() -> None:
    op.create_table(
        "variants",
        sa.Column(
            "id",
            sa.BigInteger,
            nullable=False,
            server_default=sa.text("nextval('products_id_seq')"),
        ),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("sku", sa.Text),
        sa.Column("option_key", sa.Text, nullable=False, server_default=""),
        sa.Column("price", sa.Numeric(10, 2)),
        sa.Column("weight_g", sa.Integer, nullable=False, server_default="0"),
        sa.Column("barcode", sa.Text),
        sa.Column("images", JSONB, nullable=False, server_default="[]"),
        sa.Column("position", sa.Integer, nullable=False, server_default="1"),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("price >= 0", name=op.f("ck_variants_price_not_negative")),
        sa.CheckConstraint("weight_g >= 0", name=op.f("ck_variants_weight_not_negative")),
        sa.CheckConstraint(
            "option_key ~ '^([0-9]+(,[0-9]+)*)?$'", name=op.f("ck_variants_option_key_of_ids")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_variants_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_variants"),
        sa.UniqueConstraint("sku", name="uq_variants_sku"),
    )
    op.create_index(
        "uq_variants_option_key",
        "variants",
        ["product_id", "option_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _count(table: str) -> None:
    """Let stock be of `table`."""
    op.drop_constraint("fk_stock_variant_id", "stock")
    op.create_foreign_key("fk_stock_variant_id", "stock", table, ["variant_id"], ["id"])


def downgrade() -> None:
    op.execute(_AS_PRODUCTS)
    op.execute(_STOCK_OF_NONE)
    _count("products")
    for table in ("variants", "option_values", "options"):
        op.drop_table(table)
