"""What orders publishes."""

from marshmallow import fields

from chassis import staff
from chassis.fields import (
    Boolean,
    Currency,
    EventPayload,
    Id,
    List,
    Money,
    MoneyDue,
    Quantity,
    String,
    Uuid,
)
from contracts.inventory.fields import MAX_LINES, MAX_LOCATIONS
from contracts.orders.fields import MAX_QUANTITY


class OrderEvent(EventPayload):
    """order_*: what happened to an order, and why (`enums.Cause`; who reads it bears new ones)."""

    order_id = Uuid(required=True)
    #: Orders of before there were numbers have told events without one.
    number = String(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    total = Money(required=True)
    currency = Currency(required=True)
    version = Id(required=True)
    cause = String(max=100, required=True)


class Units(EventPayload):
    """So many units of a line of an order; `name` is the product's, for the words of a mail."""

    line = Id(required=True)
    variant_id = Id(required=True)
    quantity = Quantity(max=MAX_QUANTITY, required=True)
    name = String(max=200, required=True)


class FulfilmentEvent(EventPayload):
    """fulfilment_*: what happened to a parcel of an order. `complete`: no other part of the order
    is still to be shipped (of `fulfilment_delivered`: to arrive)."""

    fulfilment_id = Uuid(required=True)
    order_id = Uuid(required=True)
    number = String(max=40, required=True)
    user_id = Uuid(required=True)
    location = String(max=40, required=True)
    carrier = String(max=100, required=True, allow_none=True)
    tracking_number = String(max=100, required=True, allow_none=True)
    tracking_url = String(max=2000, required=True, allow_none=True)
    lines = List(fields.Nested(Units), max=MAX_LINES, required=True)
    complete = Boolean(required=True)


class Place(EventPayload):
    """So many units of a variant, at a location."""

    variant_id = Id(required=True)
    location = String(max=40, required=True)
    quantity = Quantity(max=MAX_QUANTITY, required=True)


class OrderItemsCancelled(EventPayload):
    """order_items_cancelled: units that will not be shipped; `amount` goes back for them: what was
    paid for them, or what is left of that.

    `places`: where they lie, and are in no parcel. Those that inventory was not known to hold have
    none, nor had those of releases before.
    """

    cancellation_id = Uuid(required=True)
    order_id = Uuid(required=True)
    number = String(max=40, required=True)
    user_id = Uuid(required=True)
    lines = List(fields.Nested(Units), max=MAX_LINES, required=True)
    places = List(fields.Nested(Place), max=MAX_LINES * MAX_LOCATIONS, load_default=list)
    amount = Money(required=True)
    currency = Currency(required=True)


class OrderAwaitsShipping(EventPayload):
    """order_awaits_shipping: an order that was paid before stock stayed on the books until it is
    shipped. Told by the migration alone."""

    order_id = Uuid(required=True)


class RefundDue(EventPayload):
    """refund_due: money of this payment has to go back (`enums.RefundReason`), once for each
    request. Releases before told no `request_id`, and may have told of some that are on the way."""

    request_id = Uuid(load_default=None, allow_none=True)
    order_id = Uuid(required=True)
    payment_id = Uuid(required=True)
    amount = MoneyDue(required=True)
    currency = Currency(required=True)
    reason = String(min=1, max=100, required=True)


EVENTS = {
    "order_awaits_shipping": OrderAwaitsShipping,
    "order_placed": OrderEvent,
    "order_paid": OrderEvent,
    "order_cancelled": OrderEvent,
    "order_items_cancelled": OrderItemsCancelled,
    "fulfilment_shipped": FulfilmentEvent,
    "fulfilment_delivered": FulfilmentEvent,
    "fulfilment_cancelled": FulfilmentEvent,
    "refund_due": RefundDue,
    **staff.EVENTS,
}
