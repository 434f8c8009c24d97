"""What commands need around them; the service class has these as its dependencies."""

from collections.abc import Mapping
from typing import Any, Protocol

from chassis.clock import Now
from chassis.database import Handle
from chassis.events.broadcast import Broadcast
from chassis.events.outbox import Recorder
from chassis.trace import WorkTrace
from contracts.users.interface import Users


class Context(Protocol):
    """The service, as its commands see it: a test can hand them anything that looks alike."""

    db: Handle
    clock: Now
    settings: Mapping[str, Any]
    events: Recorder
    broadcast: Broadcast
    trace: WorkTrace
    network: str | None
    log: Any
    users: Users
