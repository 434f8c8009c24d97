"""What the payments service needs of others' events."""

from chassis.fields import Currency, Expected, Money, Text, Uuid


class RefundDue(Expected):
    """What we need of orders.refund_due: an order has to get up to `amount` back."""

    order_id = Uuid(required=True)
    payment_id = Uuid(load_default=None, allow_none=True)
    amount = Money(required=True, min="0.01")
    currency = Currency(required=True)
    reason = Text(required=True, max=500)
