"""What carts answers."""

from marshmallow import fields

from chassis.fields import Answer, Currency
from contracts.orders.answers import Line, Tax


def _amount(said: str) -> fields.Decimal:
    said = f"{said.rstrip('.')}; null when the lines have several currencies."
    return fields.Decimal(
        required=True, allow_none=True, as_string=True, metadata={"description": said}
    )


class CartLine(Line):
    """`price_changed`: another price, or in another currency, than when it was put in."""

    currency = Currency(required=True, metadata={"description": "The currency of this line."})
    available = fields.Integer(required=True, strict=True)
    price_changed = fields.Boolean(required=True)


class Cart(Answer):
    """Without amounts and `currency` when its lines have come to have several currencies: such a
    cart cannot be ordered as it is. `total` is without shipping."""

    items = fields.List(fields.Nested(CartLine), required=True)
    subtotal = _amount("The prices of all lines together.")
    net = _amount("All that is charged, without tax and shipping.")
    tax = _amount("All tax, whether it is in the prices or not.")
    taxes = fields.List(fields.Nested(Tax), required=True)
    total = _amount("All that is to pay, without shipping.")
    currency = Currency(
        required=True,
        allow_none=True,
        metadata={"description": "The currency of all lines; null when they have several."},
    )
    prices_include_tax = fields.Boolean(required=True)
