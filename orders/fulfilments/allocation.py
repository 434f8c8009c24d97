"""What inventory says of where the units of an order lie."""

import uuid
from typing import Any

from chassis.errors import NotFound
from contracts.inventory.answers import Allocation
from orders.context import Context

_ALLOCATION = Allocation()

#: `{variant_id, location, quantity, shipped, cancelled, open}` of each variant at each location.
Allocated = list[dict[str, Any]]


def ask(context: Context, order_id: uuid.UUID) -> Allocated:
    """Asked before the order is locked; nothing when inventory knows of no reservation."""
    try:
        return _ALLOCATION.load(context.inventory.allocation(order_id=order_id))["items"]
    except NotFound:
        return []
