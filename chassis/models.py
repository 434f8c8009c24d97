"""Tables of the chassis, as mixins for each service's own `Base`."""

import datetime
import uuid
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

#: Constraint names that Alembic and error messages can rely on.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class OutboxMixin:
    """An event that is committed together with the change that it reports (pattern: outbox).

    `sent_at` is null until it is noted that the broker has confirmed it. Until `due_at` it belongs
    to the process that has recorded it; one that the broker refuses waits until then for its next
    try.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(UUID, unique=True)
    source: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    sent_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        # The relay asks for unsent rows only, and the purge for old sent ones: both small.
        return (
            Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
            Index("ix_outbox_sent_at", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
        )


class InboxMixin:
    """An event that a handler has applied (pattern: inbox, or idempotent consumer)."""

    __tablename__ = "inbox"

    event_id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    handler: Mapped[str] = mapped_column(Text, primary_key=True)
    handled_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), index=True
    )


class RequestKeyMixin:
    """An `Idempotency-Key` and what came of it (`chassis.idempotency`)."""

    __tablename__ = "request_keys"

    owner: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True)
    operation: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    resource_id: Mapped[uuid.UUID] = mapped_column(UUID)
    created_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True), index=True)
