"""How many messages one recipient gets in an hour and in a day.

Whoever makes the shop write to somebody, by whatever way, can do so only so often. Messages about
the security of an account have a bound of their own, so that others do not use it up. A recipient
is known by a SHA-256 of the address: no address is kept.

A message is counted once, in the transaction that says so in its row, however often it is tried.
The rows of the recipients are locked meanwhile, always in the same order: so the bound is exact
whoever else counts.
"""

import datetime
import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, UUID, DateTime, Integer, LargeBinary, bindparam, delete, select, text
from sqlalchemy.orm import Session

from contracts.notifications.enums import Channel
from notifications.mail.leases import Claimed
from notifications.models import Recipient

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)

_MOMENT = DateTime(timezone=True)
_KEYS = bindparam("keys", type_=ARRAY(LargeBinary))
_LOCK = (
    text(
        "INSERT INTO recipients AS r (key, hour_began, hour_count, day_began, day_count)"
        " SELECT key, :now, 0, :now, 0 FROM unnest(:keys) AS by_key (key)"
        " ON CONFLICT (key) DO UPDATE SET key = r.key"
        " RETURNING key, hour_began, hour_count, day_began, day_count"
    )
    .bindparams(_KEYS, bindparam("now", type_=_MOMENT))
    .columns(
        key=LargeBinary,
        hour_began=_MOMENT,
        hour_count=Integer,
        day_began=_MOMENT,
        day_count=Integer,
    )
)
_STORE = text(
    "UPDATE recipients AS r SET hour_began = n.hour_began, hour_count = n.hour_count,"
    " day_began = n.day_began, day_count = n.day_count"
    " FROM unnest(:keys, :hour_began, :hour_count, :day_began, :day_count)"
    " AS n (key, hour_began, hour_count, day_began, day_count) WHERE r.key = n.key"
).bindparams(
    _KEYS,
    bindparam("hour_began", type_=ARRAY(_MOMENT)),
    bindparam("hour_count", type_=ARRAY(Integer)),
    bindparam("day_began", type_=ARRAY(_MOMENT)),
    bindparam("day_count", type_=ARRAY(Integer)),
)
_COUNTED = text("UPDATE notifications SET is_counted = true WHERE id = ANY(:ids)").bindparams(
    bindparam("ids", type_=ARRAY(UUID))
)


@dataclass(frozen=True)
class Limit:
    """Messages that one recipient gets at most."""

    per_hour: int
    per_day: int


def limits(settings: Mapping[str, Any]) -> dict[bool, Limit]:
    """How many messages one recipient gets: about security (True), and others (False)."""
    return {
        is_security: Limit(settings[f"{kind}mails_per_hour"], settings[f"{kind}mails_per_day"])
        for is_security, kind in ((True, "security_"), (False, ""))
    }


@dataclass
class Count:
    """What one recipient has got: since the first message of an hour, and of a day."""

    hour_began: datetime.datetime
    hour_count: int
    day_began: datetime.datetime
    day_count: int

    def take(self, limit: Limit, now: datetime.datetime) -> bool:
        """Count one more message; false, and nothing is counted, when that would be too many."""
        if now - self.hour_began >= HOUR:
            self.hour_began, self.hour_count = now, 0
        if now - self.day_began >= DAY:
            self.day_began, self.day_count = now, 0
        if self.hour_count >= limit.per_hour or self.day_count >= limit.per_day:
            return False
        self.hour_count += 1
        self.day_count += 1
        return True


def key_of(address: str, channel: str, is_security: bool) -> bytes:
    """By what a recipient is known. What follows a plus in the part before the @ reaches the same
    person, and so does any case."""
    folded = address.casefold()
    if channel == Channel.EMAIL:
        local, _, domain = folded.rpartition("@")
        folded = f"{local.partition('+')[0] or local}@{domain}"
    kind = "security" if is_security else "other"
    return hashlib.sha256("\0".join((channel, kind, folded)).encode()).digest()


def admit(
    session: Session,
    messages: Iterable[tuple[Claimed, str]],
    limits: Mapping[bool, Limit],
    now: datetime.datetime,
) -> set[uuid.UUID]:
    """Count messages, each with its address, oldest first; the ids of those that are too many.

    `limits` has a limit for messages about security (True) and for others (False).
    """
    by_key = defaultdict(list)
    for message, address in messages:
        if not message.is_counted:
            by_key[key_of(address, message.channel, message.is_security)].append(message)
    if not by_key:
        return set()
    keys = sorted(by_key)
    counts = {
        row.key: Count(*row[1:]) for row in session.execute(_LOCK, {"keys": keys, "now": now})
    }
    refused, counted = set(), []
    for key in keys:
        for message in by_key[key]:
            if counts[key].take(limits[message.is_security], now):
                counted.append(message.id)
            else:
                refused.add(message.id)
    if counted:
        session.execute(_STORE, _columns(keys, counts))
        session.execute(_COUNTED, {"ids": counted})
    return refused


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Forget who has got nothing for a day, `limit` recipients at most."""
    old = select(Recipient.key).where(Recipient.day_began <= now - DAY).limit(limit)
    session.execute(
        delete(Recipient).where(Recipient.key.in_(old.with_for_update(skip_locked=True)))
    )


def _columns(keys: list[bytes], counts: Mapping[bytes, Count]) -> dict[str, list[object]]:
    names = ("hour_began", "hour_count", "day_began", "day_count")
    return {"keys": list(keys)} | {
        name: [getattr(counts[key], name) for key in keys] for name in names
    }
