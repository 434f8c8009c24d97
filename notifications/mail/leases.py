"""Pending messages as rows: whose they are for the moment, and how they end."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    UUID,
    Connection,
    DateTime,
    Integer,
    Text,
    bindparam,
    func,
    select,
    text,
    update,
)

from contracts.notifications.enums import Status
from notifications.models import Base

#: A claim outlives the work on a batch: `commands.BUDGET`, and a slow mail server's every answer to
#: the last message that was begun within it.
CLAIM = datetime.timedelta(minutes=2)

#: What a claim notes of a message. It stays when the process dies before it notes anything else.
INTERRUPTED = "interrupted"


class Claimed(NamedTuple):
    """A message that is ours to deliver, and how often anyone has tried, this time included."""

    id: uuid.UUID
    user_id: uuid.UUID
    order_id: uuid.UUID | None
    reset_id: uuid.UUID | None
    verification_id: uuid.UUID | None
    email_change_id: uuid.UUID | None
    is_security: bool
    is_counted: bool
    cause: dict[str, Any]
    channel: str
    subject: str
    body: str
    created_at: datetime.datetime
    claimed_until: datetime.datetime
    attempts: int
    #: What the try before came to, if it came to nothing.
    failure_code: str | None

    @property
    def is_suspect(self) -> bool:
        """Whether a process has died with it: then it comes alone."""
        return self.failure_code == INTERRUPTED

    @property
    def has_enclosure(self) -> bool:
        """Whether `users` is to be asked for a part of it when it goes (`addresses.Enclosure`)."""
        return (self.reset_id or self.verification_id or self.email_change_id) is not None


class Outcome(NamedTuple):
    """What came of a try: the message is over, or pending and tried `again_at` a moment."""

    id: uuid.UUID
    status: str
    failure_code: str | None = None
    again_at: datetime.datetime | None = None


_NOTIFICATIONS = Base.metadata.tables["notifications"]
_MOMENT = DateTime(timezone=True)
_NOW, _UNTIL = bindparam("now", type_=_MOMENT), bindparam("until", type_=_MOMENT)
_PENDING = _NOTIFICATIONS.c.status == Status.PENDING

_WAITING = (
    select(*(_NOTIFICATIONS.c[name] for name in ("id", "failure_code", "created_at")))
    .where(_PENDING, _NOTIFICATIONS.c.claimed_until <= _NOW)
    .order_by(_NOTIFICATIONS.c.claimed_until)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("waiting")
)
_SUSPECT = (
    select(_WAITING.c.id)
    .where(_WAITING.c.failure_code == INTERRUPTED)
    .order_by(_WAITING.c.created_at)
    .limit(1)
    .scalar_subquery()
)
_TAKE = (
    update(_NOTIFICATIONS)
    .where(_NOTIFICATIONS.c.id == _WAITING.c.id)
    .where(_WAITING.c.id == func.coalesce(_SUSPECT, _WAITING.c.id))
    .values(attempts=_NOTIFICATIONS.c.attempts + 1, claimed_until=_UNTIL, failure_code=INTERRUPTED)
    .returning(*(_NOTIFICATIONS.c[name] for name in Claimed._fields[:-1]), _WAITING.c.failure_code)
)
_RELEASE = text(
    "UPDATE notifications AS n"
    " SET attempts = n.attempts - 1, claimed_until = :now, failure_code = released.code"
    " FROM unnest(:ids, :codes) AS released (id, code)"
    " WHERE n.id = released.id AND n.status = 'pending' AND n.claimed_until = :until"
).bindparams(
    _NOW,
    _UNTIL,
    bindparam("ids", type_=ARRAY(UUID)),
    bindparam("codes", type_=ARRAY(Text)),
)
_CLOSE = text(
    "UPDATE notifications AS n SET status = outcome.status, failure_code = outcome.code,"
    " sent_at = CASE WHEN outcome.status = 'sent' THEN :now END,"
    " claimed_until = coalesce(outcome.again_at, n.claimed_until)"
    " FROM unnest(:ids, :statuses, :codes, :again_at) AS outcome (id, status, code, again_at)"
    " WHERE n.id = outcome.id AND n.status = 'pending'"
).bindparams(
    _NOW,
    bindparam("ids", type_=ARRAY(UUID)),
    bindparam("statuses", type_=ARRAY(Text)),
    bindparam("codes", type_=ARRAY(Text)),
    bindparam("again_at", type_=ARRAY(_MOMENT)),
)


def take(connection: Connection, now: datetime.datetime, most: int) -> list[Claimed]:
    """Messages that have waited longest, ours until `CLAIM` is over; none when none waits.

    One with which a process has died comes alone: if it was to blame, it takes no other with it.
    """
    rows = connection.execute(_TAKE, {"now": now, "until": now + CLAIM, "most": most}).all()
    return sorted((Claimed(*row) for row in rows), key=lambda message: message.created_at)


def release(connection: Connection, messages: Sequence[Claimed], now: datetime.datetime) -> None:
    """Give messages of one claim back as if they had not been claimed."""
    returned = {
        "ids": [message.id for message in messages],
        "codes": [message.failure_code for message in messages],
        "until": messages[0].claimed_until,
    }
    connection.execute(_RELEASE, returned | {"now": now})


def close(connection: Connection, outcomes: Sequence[Outcome], now: datetime.datetime) -> None:
    """Note what came of messages, but for those that somebody else has closed meanwhile."""
    ids, statuses, codes, again_at = map(list, zip(*outcomes, strict=True))
    values = {"ids": ids, "statuses": statuses, "codes": codes, "again_at": again_at}
    connection.execute(_CLOSE, values | {"now": now})
