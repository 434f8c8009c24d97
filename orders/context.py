"""What the domain needs around it; the service classes have these as their dependencies.

Commands and queries take the service as `context` and use nothing of it but these, so a test can
hand them anything that looks alike.
"""

import datetime
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session


class Database(Protocol):
    """`read` gives a connection for plain reads, `begin` one transaction."""

    def read(self) -> AbstractContextManager[Connection]: ...

    def begin(self) -> AbstractContextManager[Session]: ...


class Outbox(Protocol):
    """`record` writes an event in the session's transaction. A statement of more writes an `event`
    itself, by `chassis.events.outbox.RECORDING`, and `wake` sends it on after the commit."""

    def record(self, session: Session, event_type: str, payload: dict[str, Any]) -> Any: ...

    def event(self, event_type: str, payload: dict[str, Any]) -> dict[str, Any]: ...

    def wake(self) -> None: ...


class Context(Protocol):
    """The orders service, as its domain sees it. The last four are proxies to other services."""

    db: Database
    events: Outbox
    clock: Callable[[], datetime.datetime]
    settings: dict[str, Any]
    trace_id: str | None
    network: str | None
    log: Any
    products: Any
    inventory: Any
    payments: Any
    users: Any
