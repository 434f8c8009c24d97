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


class CartAddress(Answer):
    """As much of an address as tax and shipping depend on."""

    country = fields.String(required=True)
    region = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)


class Cart(Answer):
    """Without amounts and `currency` when its lines have come to have several currencies: such a
    cart cannot be ordered as it is.

    With an `address`, amounts are estimated for it, with the cheapest `shipping_method`; `shipping`
    is null, and not in `total`, while nobody knows what it costs."""

    items = fields.List(fields.Nested(CartLine), required=True)
    address = fields.Nested(CartAddress, required=True, allow_none=True)
    subtotal = _amount("The prices of all lines together.")
    shipping = _amount("What shipping costs, as prices are shown, by `shipping_method`.")
    shipping_method = fields.String(required=True, allow_none=True)
    net = _amount("All that is charged, without tax.")
    tax = _amount("All tax, whether it is in the prices or not.")
    taxes = fields.List(fields.Nested(Tax), required=True)
    total = _amount("All that is to pay.")
    currency = Currency(
        required=True,
        allow_none=True,
        metadata={"description": "The currency of all lines; null when they have several."},
    )
    prices_include_tax = fields.Boolean(required=True)
