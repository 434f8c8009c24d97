"""What orders answers."""

from marshmallow import fields

from chassis.fields import (
    Answer,
    Choice,
    Currency,
    Id,
    Money,
    Quantity,
    Timestamp,
    Uuid,
    keyed,
    page_of,
)
from chassis.identity import Actor, Role
from contracts.orders.enums import (
    OVER,
    Cause,
    CheckoutState,
    FulfilmentState,
    PaymentStatus,
    Status,
    TimelineCause,
    TimelineKind,
    ZeroRate,
)
from contracts.orders.fields import MAX_QUANTITY, Percent
from contracts.users.answers import AddressFields


class Line(Answer):
    """So many of a variant."""

    variant_id = Id(required=True)
    product_id = Id(required=True)
    sku = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    options = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    quantity = Quantity(required=True, max=MAX_QUANTITY)
    unit_price = Money(required=True)
    line_total = fields.Decimal(required=True, as_string=True)


class OrderLine(Line):
    """Its `discount`, `net`, `tax` and `total` are its parts of the order's, for all units.
    `cancelled` and `shipped` of them are over or have left."""

    line = Id(required=True)
    discount = Money(required=True)
    net = Money(required=True)
    tax = Money(required=True)
    total = Money(required=True)
    tax_class = fields.String(required=True)
    cancelled = Quantity(required=True, min=0, max=MAX_QUANTITY)
    shipped = Quantity(required=True, min=0, max=MAX_QUANTITY)


class Tax(Answer):
    """The tax at one rate: `amount` for `taxable`, which is without it."""

    tax_class = fields.String(required=True)
    rate = Percent(required=True)
    label = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    taxable = Money(required=True)
    amount = Money(required=True)


class ShippingAddress(AddressFields):
    """As it was when the order was placed, or last readdressed."""


class Order(Answer):
    id = Uuid(required=True)
    number = fields.String(
        required=True,
        metadata={"description": "The number that people know the order by; mails have it."},
    )
    user_id = Uuid(required=True)
    status = Choice(Status, required=True)
    payment_status = Choice(PaymentStatus, required=True)
    items = fields.List(fields.Nested(OrderLine), required=True)
    subtotal = Money(required=True)
    discount = Money(required=True)
    shipping = Money(required=True)
    shipping_tax = Money(required=True)
    net = Money(required=True)
    tax = Money(required=True)
    taxes = fields.List(fields.Nested(Tax), required=True)
    total = Money(required=True)
    currency = Currency(required=True)
    prices_include_tax = fields.Boolean(required=True)
    shipping_method = fields.String(required=True, allow_none=True)
    shipping_name = fields.String(required=True, allow_none=True)
    shipping_tax_class = fields.String(required=True, allow_none=True)
    shipping_address = fields.Nested(ShippingAddress, required=True)
    cancel_reason = fields.String(required=True, allow_none=True)
    created_at = Timestamp(required=True)
    expires_at = Timestamp(required=True, allow_none=True)
    version = Id(required=True)


class Units(Answer):
    line = Id(required=True)
    quantity = Quantity(required=True, max=MAX_QUANTITY)


class Fulfilment(Answer):
    """A parcel of an order. `shipped_at` and `delivered_at` are null until it is."""

    id = Uuid(required=True)
    order_id = Uuid(required=True)
    location = fields.String(required=True)
    state = Choice(FulfilmentState, required=True)
    items = fields.List(fields.Nested(Units), required=True)
    carrier = fields.String(required=True, allow_none=True)
    tracking_number = fields.String(required=True, allow_none=True)
    tracking_url = fields.String(required=True, allow_none=True)
    created_at = Timestamp(required=True)
    shipped_at = Timestamp(required=True, allow_none=True)
    delivered_at = Timestamp(required=True, allow_none=True)
    version = Id(required=True)


class TimelineEntry(Answer):
    at = Timestamp(required=True)
    kind = Choice(TimelineKind, required=True)
    cause = Choice([*Cause, *TimelineCause], required=True)
    actor = Choice([*Role, Actor.SYSTEM.role], required=True)
    detail = fields.Dict(keys=fields.String(), required=True)
    trace_id = fields.String(required=True, allow_none=True)


class Timeline(Answer):
    items = fields.List(fields.Nested(TimelineEntry), required=True)


class Checkout(Answer):
    """`due_at`: when it is taken up again; `reason`: why it has not ended yet."""

    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    state = Choice(CheckoutState, required=True)
    since = Timestamp(required=True)
    due_at = Timestamp(required=True)
    attempts = fields.Integer(required=True, allow_none=True, strict=True)
    #: `enums.CheckoutReason`, or the code of what went wrong.
    reason = fields.String(required=True, allow_none=True)


class CheckoutOutcome(Answer):
    """`over`: nothing is under way, be it finished, undone or never begun."""

    order_id = Uuid(required=True)
    state = Choice([*CheckoutState, OVER], required=True)
    order_status = Choice(Status, required=True, allow_none=True)
    payment_status = Choice(PaymentStatus, required=True, allow_none=True)


class TaxRate(Answer):
    """From `valid_from` on, and before `valid_until` (null: until further notice)."""

    id = Uuid(required=True)
    country = fields.String(required=True)
    region = fields.String(required=True, allow_none=True)
    tax_class = fields.String(required=True)
    rate = Percent(required=True)
    label = fields.String(required=True)
    reason = Choice(ZeroRate, required=True, allow_none=True)
    valid_from = Timestamp(required=True)
    valid_until = Timestamp(required=True, allow_none=True)


OrderPage = page_of(Order)
FulfilmentPage = page_of(Fulfilment)
CheckoutPage = page_of(Checkout)
TaxRatePage = page_of(TaxRate)
KeyedOrder = keyed(Order)
KeyedFulfilment = keyed(Fulfilment)
KeyedTaxRate = keyed(TaxRate)
