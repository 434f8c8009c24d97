"""What commands and queries need around them; the service has these as its dependencies.

They take the service as `context` and use nothing of it but these, so a test can hand them
anything that looks alike.
"""

import datetime
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from contracts.inventory.interface import Inventory
from contracts.payments.interface import Payments
from contracts.products.interface import Products
from contracts.users.interface import Users


class Database(Protocol):
    """`begin` gives one transaction, `autocommit` a connection where each statement is its own."""

    def begin(self) -> AbstractContextManager[Session]: ...

    def autocommit(self) -> AbstractContextManager[Connection]: ...


class Outbox(Protocol):
    """`record` writes an event in the session's transaction. A statement of more writes an `event`
    itself, by `chassis.events.outbox.RECORDING`, and `wake` sends it on after the commit."""

    def record(self, session: Session, event_type: str, payload: Mapping[str, Any]) -> Any: ...

    def event(self, event_type: str, payload: Mapping[str, Any]) -> dict[str, Any]: ...

    def wake(self) -> None: ...


class Context(Protocol):
    """The orders service, as its commands see it. The last four call other services."""

    @property
    def db(self) -> Database: ...

    @property
    def events(self) -> Outbox: ...

    clock: Callable[[], datetime.datetime]
    settings: Mapping[str, Any]
    trace_id: str | None
    network: str | None
    log: Any
    products: Products
    inventory: Inventory
    payments: Payments
    users: Users
