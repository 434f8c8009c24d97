"""What the notifications service needs of others."""

from chassis.fields import (
    Currency,
    Expected,
    Money,
    String,
    Uuid,
)


class OrderEvent(Expected):
    """What we need of every orders.order_* event; those of before orders had a number have none."""

    order_id = Uuid(required=True)
    number = String(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    total = Money(required=True)
    currency = Currency(required=True)


class PaymentEvent(Expected):
    """What we need of payments.payment_succeeded; payments of before they knew the number of their
    order have none."""

    order_id = Uuid(required=True)
    order_number = String(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)


class PaymentFailed(PaymentEvent):
    """What we need of payments.payment_failed."""

    failure_code = String(max=100, load_default=None, allow_none=True)


class PaymentRefunded(PaymentEvent):
    """What we need of payments.payment_refunded."""

    refunded_total = Money(required=True)
    reason = String(max=100, load_default=None, allow_none=True)
