"""What products publishes."""

from chassis import staff
from chassis.fields import EventPayload, Id, List

#: Products that one broadcast names.
MAX_CHANGED = 500


class ProductsChanged(EventPayload):
    """Products that look different now; null stands for all of them."""

    ids = List(Id(), max=MAX_CHANGED, required=True, allow_none=True)


#: By the outbox, to one process of each service that handles them.
EVENTS = staff.EVENTS

#: To every process that listens: products themselves, who is in which list, or categories.
BROADCASTS = {"catalog_changed": ProductsChanged}
