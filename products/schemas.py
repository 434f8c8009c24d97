"""What products needs of the events of others."""

from chassis.fields import Expected, Uuid


class OrderCancelled(Expected):
    """What we need of orders.order_cancelled."""

    order_id = Uuid(required=True)
