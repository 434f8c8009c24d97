"""What the domain needs around it; the service has these as its dependencies.

Commands take the service as `context` and use nothing of it but these, so a test can hand them
anything that looks alike.
"""

import datetime
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from payments.providers import Providers
from payments.providers.recent_answers import RecentAnswers


class Database(Protocol):
    """`autocommit` gives a connection for plain reads, `begin` one transaction."""

    def autocommit(self) -> AbstractContextManager[Connection]: ...

    def begin(self) -> AbstractContextManager[Session]: ...


class Outbox(Protocol):
    """`record` writes an event in the session's transaction."""

    def record(self, session: Session, event_type: str, payload: Mapping[str, Any]) -> Any: ...


class Context(Protocol):
    """The payments service, as its domain sees it."""

    clock: Callable[[], datetime.datetime]
    #: See `payments.settings.PaymentsSettings`.
    settings: dict[str, Any]
    network: str | None
    log: Any
    recent_answers: RecentAnswers

    @property
    def db(self) -> Database: ...

    @property
    def events(self) -> Outbox: ...

    @property
    def providers(self) -> Providers:
        """Those that are configured; the same for as long as the context lives."""


def call_ends_at(context: Context) -> datetime.datetime:
    """When a call to a provider that begins now is over: nobody else drives its payment or refund
    before."""
    return context.clock() + datetime.timedelta(seconds=context.settings["call_seconds"])
