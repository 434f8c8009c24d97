"""What carts answers."""

from marshmallow import fields

from chassis.fields import Answer, Currency
from contracts.orders.answers import Line


class CartLine(Line):
    """`price_changed`: another price, or in another currency, than when it was put in."""

    currency = Currency(required=True, metadata={"description": "The currency of this line."})
    available = fields.Integer(required=True, strict=True)
    price_changed = fields.Boolean(required=True)


class CartAddress(Answer):
    """As much of an address as tax and shipping depend on."""

    country = fields.String(required=True)
    region = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)


class Cart(Answer):
    """Without `total` and `currency` when its lines have come to have several currencies: such a
    cart cannot be ordered as it is."""

    items = fields.List(fields.Nested(CartLine), required=True)
    address = fields.Nested(CartAddress, required=True, allow_none=True)
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
