"""What carts answers."""

from marshmallow import fields

from chassis.fields import Answer, Currency
from contracts.orders.answers import Line


class CartLine(Line):
    """`price_changed`: another price, or in another currency, than when it was put in."""

    currency = Currency(required=True, metadata={"description": "The currency of this line."})
    available = fields.Integer(required=True, strict=True)
    price_changed = fields.Boolean(required=True)


class Cart(Answer):
    """Without `total` and `currency` when its lines have come to have several currencies: such a
    cart cannot be ordered as it is."""

    items = fields.List(fields.Nested(CartLine), required=True)
    total = fields.Decimal(
        required=True,
        allow_none=True,
        as_string=True,
        metadata={"description": "The sum of all lines; null when they have several currencies."},
    )
    currency = Currency(
        required=True,
        allow_none=True,
        metadata={"description": "The currency of all lines; null when they have several."},
    )
