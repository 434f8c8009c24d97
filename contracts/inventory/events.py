"""What inventory publishes."""

from chassis import staff
from contracts.products.events import ProductsChanged

#: By the outbox, to one process of each service that handles them.
EVENTS = staff.EVENTS

#: To every process that listens: how many of these products there are.
BROADCASTS = {"stock_changed": ProductsChanged}
