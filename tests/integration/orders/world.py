"""What stands around the orders service in its tests, and what they share."""

import uuid
from typing import ClassVar

from chassis.errors import NotFound
from chassis.events import event_handler
from chassis.fields import Expected
from chassis.rpc import rpc
from chassis.service import Service

ADDRESS = {
    "name": "Eva Holm",
    "company": None,
    "phone": None,
    "line1": "1 Quay",
    "line2": None,
    "city": "Bremen",
    "region": None,
    "postal_code": "28195",
    "country": "DE",
}
STAFF = {"user_id": str(uuid.uuid4()), "role": "staff"}
ADMIN = {"user_id": str(uuid.uuid4()), "role": "admin"}


class Anything(Expected):
    """An event of which nothing is needed."""


class UsersStandIn(Service):
    """Everybody lives at the same address; who has none is `HOMELESS`. Words find whom `PEOPLE`
    says."""

    name = "users"
    HOMELESS = str(uuid.uuid4())
    PEOPLE: ClassVar[dict[str, list[str]]] = {}

    @rpc
    def default_address(self, user_id):
        if user_id == self.HOMELESS:
            raise NotFound
        return {"id": str(uuid.uuid4()), "default": True, **ADDRESS}

    @rpc
    def find(self, search, limit):
        return {"items": [{"id": one} for one in self.PEOPLE.get(search.lower(), [])]}

    @event_handler("products", "staff_acted", Anything)
    @event_handler("inventory", "staff_acted", Anything)
    @event_handler("orders", "staff_acted", Anything)
    @event_handler("payments", "staff_acted", Anything)
    def on_staff_acted(self, event):
        """Has a queue for it: without one it is not sent."""


class NotificationsStandIn(Service):
    """Has a queue for every event that only notifications takes: without one it is not sent."""

    name = "notifications"

    @event_handler("orders", "order_placed", Anything)
    def on_placed(self, event):
        """Nothing to do."""

    @event_handler("orders", "order_paid", Anything)
    def on_paid(self, event):
        """Nothing to do."""

    @event_handler("orders", "order_items_cancelled", Anything)
    @event_handler("orders", "fulfilment_shipped", Anything)
    @event_handler("orders", "fulfilment_delivered", Anything)
    @event_handler("orders", "fulfilment_cancelled", Anything)
    def on_parcel(self, event):
        """Nothing to do."""


#: What the stock of an order must be, by its status.
HELD = {
    "pending": {"reserved"},
    "processing": {"committed"},
    "partially_shipped": {"committed"},
    "shipped": {"committed"},
    "delivered": {"committed"},
    "cancelled": {"released"},
}


def crash():
    """Nobody handles this: no further step of the request runs, as after `kill -9`."""
    raise RuntimeError("crashed for a test")
