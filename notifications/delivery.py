"""The way out: pending messages, one after another, to their channels.

A message is claimed for a while in a transaction of its own, so that none is open while a server
talks, and several instances share the work. Who dies with a claim leaves the message to the next
after it ends; the channels make such a repeat recognisable.
"""

import datetime
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from chassis.errors import NotFound, Unavailable
from notifications.channels.port import Channel, Letter
from notifications.errors import NotNow, Undeliverable
from notifications.feed import EMAIL, FAILED, PENDING, SENT, SKIPPED, SMS
from notifications.models import Notification

#: A claim outlives the slowest delivery: an address by RPC and a slow mail server's every answer.
CLAIM = datetime.timedelta(minutes=2)
#: Longest pause between two tries.
MAX_PAUSE = datetime.timedelta(minutes=15)

#: Which part of a user's profile a channel needs.
ADDRESS = {EMAIL: "email", SMS: "phone"}

#: Why a message is not worth sending: nowhere to send it to, nothing it would be good for.
POINTLESS = ("no_address", "reset_over")

#: `publish(session, type, payload)` records an event in the session's transaction.
Publish = Callable[[Session, str, dict[str, Any]], object]
#: `with following(cause)`: calls and events are those of another request (`chassis.trace`).
Following = Callable[[Mapping[str, Any]], AbstractContextManager[None]]


class Claimed(NamedTuple):
    """A message that is ours to deliver, and how often anyone has tried, this time included."""

    id: uuid.UUID
    user_id: uuid.UUID
    order_id: uuid.UUID | None
    reset_id: uuid.UUID | None
    cause: dict[str, Any]
    channel: str
    subject: str
    body: str
    created_at: datetime.datetime
    attempts: int


_NOTIFICATIONS = Notification.__table__
_NOW, _UNTIL = (
    bindparam(name, type_=_NOTIFICATIONS.c.claimed_until.type) for name in ("now", "until")
)
_WAITING = (
    select(_NOTIFICATIONS.c.id)
    .where(_NOTIFICATIONS.c.status == PENDING, _NOTIFICATIONS.c.claimed_until <= _NOW)
    .order_by(_NOTIFICATIONS.c.claimed_until)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(_NOTIFICATIONS)
    .where(_NOTIFICATIONS.c.id == _WAITING.scalar_subquery())
    .values(attempts=_NOTIFICATIONS.c.attempts + 1, claimed_until=_UNTIL)
    .returning(*(_NOTIFICATIONS.c[name] for name in Claimed._fields))
    .execution_options(prepared=True)
)


class Postman:
    """Delivers what is pending.

    `profile(user_id)` answers with the user's `email` and `phone` at this moment, or raises
    `NotFound`; `way_to_reset(reset_id)` with the lines that a mail for a new password ends in, or
    raises `Undeliverable`; `channels` maps "email" and "sms" to theirs.
    """

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Session]],
        clock: Callable[[], datetime.datetime],
        profile: Callable[[uuid.UUID], Mapping[str, Any]],
        way_to_reset: Callable[[uuid.UUID], str],
        channels: Mapping[str, Channel],
        publish: Publish,
        following: Following,
        log: Any,
        *,
        max_attempts: int,
    ):
        self.begin = begin
        self.clock = clock
        self.profile = profile
        self.way_to_reset = way_to_reset
        self.channels = channels
        self.publish = publish
        self.following = following
        self.log = log
        self.max_attempts = max_attempts

    def run(self, limit: int) -> None:
        """One round of at most `limit` messages; it ends when nobody can tell addresses."""
        for _ in range(limit):
            with self.begin() as session:
                claimed = claim(session, self.clock())
            if claimed is None:
                return
            with self.following(claimed.cause):
                if not self.deliver(claimed):
                    return

    def deliver(self, message: Claimed) -> bool:
        """Try once, and note what came of it; false when the next one would fare no better."""
        try:
            self.channels[message.channel].deliver(self._letter(message))
        except NotFound:
            self._close(message, SKIPPED, "user_gone")
        except Undeliverable as error:
            self._close(message, SKIPPED if error.code in POINTLESS else FAILED, error.code)
        except Unavailable as error:
            self._try_later(message, error)
            return False
        except Exception as error:  # one letter must not hold up the others
            self._try_later(message, error)
        else:
            self._sent(message)
        return True

    def _letter(self, message: Claimed) -> Letter:
        if message.attempts > self.max_attempts:  # earlier tries ended with the process itself
            raise Undeliverable("too_many_attempts")
        address = self.profile(message.user_id).get(ADDRESS[message.channel])
        if not address:
            raise Undeliverable("no_address")
        body = message.body
        if message.reset_id is not None:
            body += self.way_to_reset(message.reset_id)
        return Letter(message.id, address, message.subject, body, message.created_at)

    def _sent(self, message: Claimed) -> None:
        now = self.clock()
        with self.begin() as session:
            if close(session, message.id, status=SENT, sent_at=now):
                facts = {
                    "notification_id": message.id,
                    "user_id": message.user_id,
                    "order_id": message.order_id,
                    "channel": message.channel,
                }
                self.publish(session, "notification_sent", facts)

    def _close(self, message: Claimed, status: str, code: str) -> None:
        with self.begin() as session:
            close(session, message.id, status=status, failure_code=code)
        self.log.warning(
            "notification_not_sent", notification_id=str(message.id), status=status, code=code
        )

    def _try_later(self, message: Claimed, error: Exception) -> None:
        code = error.code if isinstance(error, NotNow) else type(error).__name__
        if message.attempts >= self.max_attempts:
            self._close(message, FAILED, code)
            return
        with self.begin() as session:
            close(
                session,
                message.id,
                failure_code=code,
                claimed_until=self.clock() + pause(message.attempts),
            )
        self.log.info("notification_delayed", notification_id=str(message.id), code=code)


def claim(session: Session, now: datetime.datetime) -> Claimed | None:
    """The message that has waited longest, ours until `CLAIM` is over; None when none waits."""
    row = session.execute(_CLAIM, {"now": now, "until": now + CLAIM}).first()
    return None if row is None else Claimed(*row)


def close(session: Session, notification_id: uuid.UUID, **values: Any) -> bool:
    """Set `values` on a pending message; false when someone else has closed it."""
    closed = (
        update(_NOTIFICATIONS)
        .where(_NOTIFICATIONS.c.id == notification_id, _NOTIFICATIONS.c.status == PENDING)
        .values(**values)
    )
    return session.execute(closed).rowcount == 1


def pause(attempts: int) -> datetime.timedelta:
    """How long to wait after so many tries: 2 s, 4 s, 8 s … up to `MAX_PAUSE`."""
    return min(datetime.timedelta(seconds=2 ** min(attempts, 20)), MAX_PAUSE)
