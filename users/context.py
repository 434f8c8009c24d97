"""What the domain needs around it; the service class has these as its dependencies.

Commands take the service as `context` and use nothing of it but these, so a test can hand them
anything that looks alike.
"""

import datetime
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from chassis.messages import Event


class Database(Protocol):
    """`autocommit` gives a connection for reads, `begin` a transaction, and `once` one for the only
    time that an event is applied."""

    def autocommit(self) -> AbstractContextManager[Connection]: ...

    def begin(self) -> AbstractContextManager[Session]: ...

    def once(self, event: Event) -> AbstractContextManager[Session]: ...


class Outbox(Protocol):
    """`record` writes an event in the session's transaction."""

    def record(self, session: Session, event_type: str, payload: Mapping[str, Any]) -> Any: ...


class Broadcast(Protocol):
    """`publish` sends a hint to all who listen when the session's transaction has committed."""

    def publish(self, session: Session, kind: str, payload: Mapping[str, Any]) -> None: ...


class PasswordHasher(Protocol):
    """See `users.passwords.hashing.Handle`."""

    def hash(self, password: str) -> str: ...

    def verify(self, password_hash: str | None, password: str) -> bool: ...

    def is_outdated(self, password_hash: str) -> bool: ...


class Context(Protocol):
    """The users service, as its domain sees it. `identity` has the issuer and audience of access
    tokens."""

    db: Database
    events: Outbox
    broadcast: Broadcast
    clock: Callable[[], datetime.datetime]
    passwords: PasswordHasher
    settings: Mapping[str, Any]
    identity: Mapping[str, Any]
    log: Any
