"""When is a shop at rest? When nothing is under way that could still change the books."""

import time
from collections.abc import Callable

import requests
import sqlalchemy as sa

from shop.verify import Books, events

_UNDER_WAY = {
    "checkouts": ("orders", "SELECT count(*) FROM checkouts"),
    "refunds under way": ("payments", "SELECT count(*) FROM refunds WHERE status = 'pending'"),
    "webhooks to be sent": ("payments", "SELECT count(*) FROM simulator_notices"),
    "webhooks to be looked into": (
        "payments",
        "SELECT count(*) FROM provider_notices WHERE processed_at IS NULL",
    ),
}
#: What ends when a buyer's or a mail's time is over: soon in a shop of its own, half an hour and
#: more in others.
_WAITING = {
    "unpaid orders": ("orders", "SELECT count(*) FROM orders WHERE status = 'pending'"),
    "payments being made": (
        "orders",
        "SELECT count(*) FROM orders WHERE paying_since IS NOT NULL",
    ),
    "undecided payments": (
        "payments",
        "SELECT count(*) FROM payments WHERE status IN ('pending', 'requires_action')",
    ),
    "held reservations": (
        "products",
        "SELECT count(*) FROM reservations WHERE state = 'reserved'",
    ),
    "mails to be sent": (
        "notifications",
        "SELECT count(*) FROM notifications WHERE status = 'pending'",
    ),
}


class Rest:
    """What is still under way, by name; empty when the shop is at rest.

    `queues` is the address of RabbitMQ's list of queues; `for_buyers`: until the time of those who
    have not paid is over as well.
    """

    def __init__(self, books: Books, url: str, queues: str, for_buyers: bool):
        self._books = books
        self._url = url
        self._queues = queues
        self._counts = _UNDER_WAY | (_WAITING if for_buyers else {})

    def wait(self, seconds: float, tell: Callable[[dict[str, int]], None]) -> dict[str, int]:
        """Return when all is at rest, or after `seconds` with what is not."""
        until = time.monotonic() + seconds
        while True:
            left = self.left()
            tell(left)
            if not left or time.monotonic() > until:
                return left
            time.sleep(0.5)

    def left(self) -> dict[str, int]:
        """What is under way now."""
        try:
            # 404: the gateway keeps its probes to itself (HTTP_PROBES=false).
            if requests.get(f"{self._url}/readyz", timeout=5).status_code not in (200, 404):
                return {"services not ready": 1}
            found = self._messages()
            for name, (package, statement) in self._counts.items():
                found[name] = self._books.value(package, statement)
            found["events to be published"] = sum(1 for _ in events.unsent(self._books))
        except (requests.RequestException, sa.exc.DBAPIError):
            return {"servers not ready": 1}
        return {name: count for name, count in found.items() if count}

    def _messages(self) -> dict[str, int]:
        """Messages on their way; those that were given up are the business of `shop.verify`."""
        queues = requests.get(self._queues, auth=("guest", "guest"), timeout=5)
        queues.raise_for_status()
        under_way = (one for one in queues.json() if not one["name"].endswith(".dead-letters"))
        return {"messages": sum(queue.get("messages", 0) for queue in under_way)}
