"""What payments publishes."""

from chassis import staff
from chassis.fields import Boolean, Currency, EventPayload, Money, String, Uuid


class PaymentSucceeded(EventPayload):
    """The whole amount was taken. Payments from before orders had a number have no
    `order_number`."""

    payment_id = Uuid(required=True)
    order_id = Uuid(required=True)
    order_number = String(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)


class PaymentFailed(PaymentSucceeded):
    """Nothing was taken, or all that was is on its way back."""

    failure_code = String(max=100, load_default=None, allow_none=True)


class PaymentCancelled(PaymentFailed):
    """Nothing was taken; `failure_code`: `replaced` by another means, or `order_cancelled`."""


class PaymentRefunded(PaymentSucceeded):
    """`amount` was given back, `refunded_total` so far; `full`: all of it. `reason`: a word of
    ours, none where staff has given it back."""

    refunded_total = Money(required=True)
    full = Boolean(required=True)
    reason = String(max=100, load_default=None, allow_none=True)


class RefundFailed(EventPayload):
    """refund_failed: the provider gives nothing back for a request of orders
    (`contracts.orders.events.RefundDue`), nor will it: `amount` is still with us."""

    request_id = Uuid(required=True)
    order_id = Uuid(required=True)
    payment_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)
    failure_code = String(max=100, load_default=None, allow_none=True)


EVENTS = {
    "payment_succeeded": PaymentSucceeded,
    "payment_failed": PaymentFailed,
    "payment_cancelled": PaymentCancelled,
    "payment_refunded": PaymentRefunded,
    "refund_failed": RefundFailed,
    **staff.EVENTS,
}
