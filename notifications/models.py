"""Tables of the notifications service."""

import datetime
import uuid
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.models import NAMING, InboxMixin, OutboxMixin, RequestKeyMixin


class Base(DeclarativeBase):
    """Tables of the notifications database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[type, Any]] = {
        datetime.datetime: DateTime(timezone=True),
        uuid.UUID: UUID,
        str: Text,
    }


class OutboxEvent(OutboxMixin, Base):
    """Events that notifications publishes."""


class InboxEvent(InboxMixin, Base):
    """Events that notifications has applied."""


class RequestKey(RequestKeyMixin, Base):
    """Keys under which messages were sent."""


class Feed(Base):
    """How far a user's feed has come.

    Its row is locked by whoever writes into the feed until that commits. So positions become
    visible in their order, and who has read up to one has missed none before it.
    """

    __tablename__ = "feeds"

    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
    #: So long somebody is told when it has grown (`notifications.feed.store`).
    watched_until: Mapped[datetime.datetime | None]


class Notification(Base):
    """A message to one user on one channel. It holds no address: that is asked for when it goes.

    What is in the feed (`in_app`) has a `position` there.

    Made by an event (`event_id`: once per channel) or by `send`.
    """

    __tablename__ = "notifications"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID]
    order_id: Mapped[uuid.UUID | None]
    event_id: Mapped[uuid.UUID | None]
    #: Of a mail with the way to a new password, which is asked for when the mail goes.
    reset_id: Mapped[uuid.UUID | None]
    #: Of a mail with the token that confirms an address: both are asked for when the mail goes.
    verification_id: Mapped[uuid.UUID | None]
    #: Of a mail to the address that a user had before, which is asked for when the mail goes.
    email_change_id: Mapped[uuid.UUID | None]
    #: About the security of an account: counted apart from others
    #: (`notifications.mail.recipients`).
    is_security: Mapped[bool] = mapped_column(Boolean, server_default=false())
    #: Counted for its recipient already: a repeated try is not counted again.
    is_counted: Mapped[bool] = mapped_column(Boolean, server_default=false())
    #: The request that caused it (`chassis.trace`).
    cause: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    channel: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    position: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str]
    failure_code: Mapped[str | None]
    read: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    created_at: Mapped[datetime.datetime]
    sent_at: Mapped[datetime.datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    #: Nobody takes a pending message up before: it waits for its next try, or someone is at it.
    claimed_until: Mapped[datetime.datetime]

    __table_args__ = (
        CheckConstraint("channel IN ('email', 'sms', 'in_app')", name="channel"),
        CheckConstraint(
            "status IN ('pending', 'sent', 'failed', 'skipped', 'suppressed')", name="status"
        ),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_at"),
        CheckConstraint("(channel = 'in_app') = (position IS NOT NULL)", name="position"),
        UniqueConstraint("event_id", "channel"),
        UniqueConstraint("user_id", "position"),
        Index("ix_notifications_user_id_created_at_id", "user_id", "created_at", "id"),
        Index(
            "ix_notifications_unread",
            "user_id",
            "created_at",
            "id",
            postgresql_where=text("NOT read"),
        ),
        Index(
            "ix_notifications_order_id",
            "order_id",
            postgresql_where=text("channel <> 'in_app' AND order_id IS NOT NULL"),
        ),
        Index(
            "ix_notifications_pending",
            "claimed_until",
            postgresql_where=text("status = 'pending'"),
        ),
    )


class Recipient(Base):
    """How many messages went to an address, by its SHA-256
    (`notifications.mail.recipients`)."""

    __tablename__ = "recipients"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    hour_began: Mapped[datetime.datetime]
    hour_count: Mapped[int]
    day_began: Mapped[datetime.datetime] = mapped_column(index=True)
    day_count: Mapped[int]

    __table_args__ = (CheckConstraint("octet_length(key) = 32", name="sha256"),)
