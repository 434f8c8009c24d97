"""What commands need around them; both service classes have these as their dependencies."""

from collections.abc import Mapping
from typing import Any, Protocol

from chassis.clock import Now
from chassis.database import Handle
from chassis.events.broadcast import Broadcast
from chassis.staff import Outbox


class Context(Protocol):
    """A service, as its commands see it: a test can hand them anything that looks alike."""

    db: Handle
    clock: Now
    settings: Mapping[str, Any]
    events: Outbox
    broadcast: Broadcast
    network: str | None
