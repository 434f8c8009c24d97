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
