"""Amounts have the places of their currency: none of yen, three of dinars."""

from chassis.migrations import keep_places, set_places, set_two_places

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ORDER = ("subtotal", "discount", "shipping", "shipping_tax", "net", "tax", "total")
_LINE = ("unit_price", "discount", "net", "tax", "total", "refunded")
_TAX = ("taxable", "amount")
_METHOD = ("price", "free_from")


def upgrade() -> None:
    keep_places("cart_lines", "unit_price")
    keep_places("orders", *_ORDER)
    keep_places("order_lines", *_LINE)
    keep_places("order_taxes", *_TAX)
    keep_places("receipts", "refunded")
    keep_places("shipping_methods", *_METHOD)
    set_places("cart_lines", "unit_price")
    set_places("orders", *_ORDER)
    set_places("order_lines", *_LINE, of="orders")
    set_places("order_taxes", *_TAX, of="orders")
    set_places("shipping_methods", *_METHOD)


def downgrade() -> None:
    set_two_places("cart_lines", "unit_price")
    set_two_places("orders", *_ORDER)
    set_two_places("order_lines", *_LINE)
    set_two_places("order_taxes", *_TAX)
    set_two_places("shipping_methods", *_METHOD)
