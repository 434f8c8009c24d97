"""The outbox and inbox tables for statements that are written without a service's own models."""

from sqlalchemy.orm import DeclarativeBase

from chassis.models import InboxMixin, OutboxMixin


class _Base(DeclarativeBase):
    pass


class _Outbox(OutboxMixin, _Base):
    pass


class _Inbox(InboxMixin, _Base):
    pass


OUTBOX, INBOX = (_Base.metadata.tables[name] for name in ("outbox", "inbox"))
