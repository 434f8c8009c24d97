"""Orders have net, tax, shipping and discount, their lines variants and counters.

What is there keeps its total: it was sold without tax or shipping of its own. A product was its
only variant, of the same number.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(10, 2)
_NOTHING = sa.text("0")

_ORDER_CHECKS = {
    "amounts": "discount BETWEEN 0 AND subtotal AND shipping >= 0"
    " AND shipping_tax BETWEEN 0 AND tax AND net >= 0",
    "net_and_tax": "net + tax = total",
    "adds_up": "subtotal - discount + shipping"
    " + CASE WHEN prices_include_tax THEN 0 ELSE tax END = total",
    "shipping_method": "(shipping_method IS NULL) = (shipping_name IS NULL)",
}
_LINE_CHECKS = {
    "line": "line >= 1",
    "discount": "discount BETWEEN 0 AND unit_price * quantity",
    "net_and_tax": "net >= 0 AND tax >= 0 AND net + tax = total",
    "shipped": "shipped >= 0 AND cancelled >= 0 AND shipped + cancelled <= quantity",
    "returned": '"returning" >= 0 AND returned >= 0 AND "returning" + returned <= shipped',
    "refunded": "refunded BETWEEN 0 AND total",
}
_NEW_IN_ORDERS = (
    "subtotal", "discount", "shipping", "shipping_tax", "net", "tax", "prices_include_tax",
    "shipping_method", "shipping_name",
)  # fmt: skip
_NEW_IN_LINES = (
    "line", "variant_id", "sku", "options", "discount", "net", "tax", "total", "tax_class",
    "cancelled", "shipped", "returning", "returned", "refunded",
)  # fmt: skip

#: What was delivered was shipped, whole; what was cancelled will not be.
_FILL_LINES = """
    UPDATE order_lines SET line = counted.line, variant_id = order_lines.product_id,
        net = quantity * unit_price, total = quantity * unit_price,
        shipped = CASE WHEN status IN ('shipped', 'delivered') THEN quantity ELSE 0 END,
        cancelled = CASE WHEN status = 'cancelled' THEN quantity ELSE 0 END
    FROM orders, (
        SELECT order_id, product_id,
            row_number() OVER (PARTITION BY order_id ORDER BY position, product_id) AS line
        FROM order_lines
    ) AS counted
    WHERE orders.id = order_lines.order_id AND counted.order_id = order_lines.order_id
        AND counted.product_id = order_lines.product_id
"""


def upgrade() -> None:
    _upgrade_orders()
    _upgrade_order_lines()
    op.create_table(
        "order_taxes",
        sa.Column("order_id", sa.UUID, nullable=False),
        sa.Column("tax_class", sa.Text, nullable=False),
        sa.Column("rate", sa.Numeric(6, 3), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("taxable", MONEY, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "tax_class", "rate", name="pk_order_taxes"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_taxes_order_id"),
        sa.CheckConstraint("rate BETWEEN 0 AND 100", name=op.f("ck_order_taxes_rate")),
        sa.CheckConstraint("taxable >= 0 AND amount >= 0", name=op.f("ck_order_taxes_amount")),
        sa.CheckConstraint("reason IS NULL OR rate = 0", name=op.f("ck_order_taxes_reason")),
    )
    op.alter_column("cart_lines", "product_id", new_column_name="variant_id")
    op.add_column("cart_lines", sa.Column("product_id", sa.BigInteger))
    op.add_column("cart_lines", sa.Column("sku", sa.Text))
    op.add_column("cart_lines", _options())
    op.execute("UPDATE cart_lines SET product_id = variant_id")
    op.alter_column("cart_lines", "product_id", nullable=False)


def downgrade() -> None:
    """Totals stay; what is in them besides the lines is no longer known. A variant is to the
    version before a product of its own."""
    for column in ("product_id", "sku", "options"):
        op.drop_column("cart_lines", column)
    op.alter_column("cart_lines", "variant_id", new_column_name="product_id")
    op.drop_table("order_taxes")
    _downgrade_order_lines()
    for name in _ORDER_CHECKS:
        op.drop_constraint(f"ck_orders_{name}", "orders")
    for column in _NEW_IN_ORDERS:
        op.drop_column("orders", column)


def _upgrade_orders() -> None:
    for name in ("subtotal", "net"):
        op.add_column("orders", sa.Column(name, MONEY))
    for name in ("discount", "shipping", "shipping_tax", "tax"):
        op.add_column("orders", _counter(name, MONEY))
    op.add_column("orders", sa.Column("prices_include_tax", sa.Boolean))
    op.add_column("orders", sa.Column("shipping_method", sa.Text))
    op.add_column("orders", sa.Column("shipping_name", sa.Text))
    op.execute("UPDATE orders SET subtotal = total, net = total, prices_include_tax = true")
    for name in ("subtotal", "net", "prices_include_tax"):
        op.alter_column("orders", name, nullable=False)
    for name, sql in _ORDER_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_orders_{name}"), "orders", sql)


def _upgrade_order_lines() -> None:
    for name in ("line", "variant_id"):
        op.add_column("order_lines", sa.Column(name, sa.BigInteger))
    op.add_column("order_lines", sa.Column("sku", sa.Text))
    op.add_column("order_lines", _options())
    for name in ("net", "total"):
        op.add_column("order_lines", sa.Column(name, MONEY))
    for name in ("discount", "tax", "refunded"):
        op.add_column("order_lines", _counter(name, MONEY))
    for name in ("cancelled", "shipped", "returning", "returned"):
        op.add_column("order_lines", _counter(name, sa.BigInteger()))
    op.add_column(
        "order_lines",
        sa.Column("tax_class", sa.Text, server_default=sa.text("'standard'"), nullable=False),
    )
    op.execute(_FILL_LINES)
    for name in ("line", "variant_id", "net", "total"):
        op.alter_column("order_lines", name, nullable=False)
    op.drop_constraint("pk_order_lines", "order_lines")
    op.create_primary_key("pk_order_lines", "order_lines", ["order_id", "line"])
    op.create_unique_constraint(
        "uq_order_lines_order_id_variant_id", "order_lines", ["order_id", "variant_id"]
    )
    op.drop_column("order_lines", "position")
    for name, sql in _LINE_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_order_lines_{name}"), "order_lines", sql)


def _downgrade_order_lines() -> None:
    op.add_column("order_lines", sa.Column("position", sa.BigInteger))
    op.execute("UPDATE order_lines SET position = line - 1, product_id = variant_id")
    op.alter_column("order_lines", "position", nullable=False)
    op.drop_constraint("pk_order_lines", "order_lines")
    op.drop_constraint("uq_order_lines_order_id_variant_id", "order_lines")
    op.create_primary_key("pk_order_lines", "order_lines", ["order_id", "product_id"])
    for name in _LINE_CHECKS:
        op.drop_constraint(f"ck_order_lines_{name}", "order_lines")
    for column in _NEW_IN_LINES:
        op.drop_column("order_lines", column)


def _counter(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, server_default=_NOTHING, nullable=False)


def _options() -> sa.Column[Any]:
    return sa.Column("options", JSONB, server_default=sa.text("'{}'"), nullable=False)
