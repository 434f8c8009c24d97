"""Statements without models: the outbox and inbox tables, and how many rows one has changed."""

from typing import Any, cast

from sqlalchemy import Connection, CursorResult, UpdateBase
from sqlalchemy.orm import DeclarativeBase, Session

from chassis.models import InboxMixin, OutboxMixin


class _Base(DeclarativeBase):
    pass


class _Outbox(OutboxMixin, _Base):
    pass


class _Inbox(InboxMixin, _Base):
    pass


OUTBOX, INBOX = (_Base.metadata.tables[name] for name in ("outbox", "inbox"))


def changed(session: Session | Connection, statement: UpdateBase) -> int:
    """Run the statement; how many rows it has written, changed or deleted."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
