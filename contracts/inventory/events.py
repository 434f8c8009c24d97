"""What inventory publishes."""

from chassis import staff
from chassis.fields import EventPayload, Uuid
from contracts.products.events import ProductsChanged


class StockLost(EventPayload):
    """stock_lost: the order is paid, and its stock is neither held nor there any more."""

    order_id = Uuid(required=True)


#: By the outbox, to one process of each service that handles them.
EVENTS = staff.EVENTS | {"stock_lost": StockLost}

#: To every process that listens: how many of these products there are.
BROADCASTS = {"stock_changed": ProductsChanged}
