"""What orders publishes."""

from chassis import staff
from chassis.fields import Currency, EventPayload, Id, Money, String, Uuid


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


class RefundDue(EventPayload):
    """refund_due: money of this payment has to go back (`enums.RefundReason`)."""

    order_id = Uuid(required=True)
    payment_id = Uuid(required=True)
    amount = Money(min="0.01", required=True)
    currency = Currency(required=True)
    reason = String(min=1, max=100, required=True)


EVENTS = {
    "order_placed": OrderEvent,
    "order_paid": OrderEvent,
    "order_shipped": OrderEvent,
    "order_delivered": OrderEvent,
    "order_cancelled": OrderEvent,
    "refund_due": RefundDue,
    **staff.EVENTS,
}
