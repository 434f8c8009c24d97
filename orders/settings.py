"""The `orders` section of config.yaml."""

from marshmallow import Schema, fields, validate

from chassis.fields import Boolean, Currency

#: The time to pay and its grace together are less than `contracts.inventory.fields.MAX_HOLD`.
_LONGEST = 30 * 86400


def _seconds(default: int) -> fields.Integer:
    return fields.Integer(load_default=default, validate=validate.Range(min=1, max=_LONGEST))


class OrdersSettings(Schema):
    """How long things may take, in seconds, and how much a buyer may hold without paying; and the
    shop's currency."""

    #: In which a price counts that is sent without a currency; also that of an empty cart.
    currency = Currency(load_default="EUR")
    #: Whether the prices of products and of shipping include tax.
    prices_include_tax = Boolean(load_default=True)
    #: An unpaid order is cancelled after this.
    payment_window = _seconds(1800)
    #: The reservation outlives the time to pay by this, so that inventory has heard of the payment
    #: by then. It holds up nobody: what is cancelled gives its stock back at once.
    reservation_grace = _seconds(3 * 86400)
    #: An order is not expired while a payment that began less than this ago may be under way.
    payment_patience = _seconds(60)
    #: Payments without an outcome are looked up after this, then at doubling distances.
    payment_recheck = _seconds(15)
    #: A checkout that stands still for this long is undone.
    checkout_patience = _seconds(60)
    #: How many unpaid orders, which hold stock, one buyer may have.
    max_open_orders = fields.Integer(load_default=10, validate=validate.Range(min=1))
    #: How many units of one product they may hold together: so many, or this share of what is
    #: available, in percent, whichever is more.
    max_unpaid_units = fields.Integer(load_default=20, validate=validate.Range(min=1))
    max_unpaid_percent = fields.Integer(load_default=10, validate=validate.Range(min=0, max=100))
