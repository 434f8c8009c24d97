"""What commands and queries need around them; a service class has these as its dependencies.

They take the service as `context` and use nothing of it but what their own package's `Context`
names, so a test can hand them anything that looks alike.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from chassis.clock import Now
from chassis.database import Handle
from chassis.events.outbox import Recorder


class DatabaseContext(Protocol):
    """What all services with a database have."""

    @property
    def db(self) -> Handle: ...

    clock: Now
    log: Any


class Context(DatabaseContext, Protocol):
    """What those have that publish events and are set up by operators; a package adds its own."""

    @property
    def events(self) -> Recorder: ...

    @property
    def settings(self) -> Mapping[str, Any]: ...
