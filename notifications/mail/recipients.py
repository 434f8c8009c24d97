"""How many messages one recipient gets in an hour and in a day.

Whoever makes the shop write to somebody, by whatever way, can do so only so often. Messages about
the security of an account have a bound of their own, so that others do not use it up. A recipient
is known by a SHA-256 of the address: no address is kept.

A message is counted once, by the statement that says so in its row, however often it is tried. It
locks the rows of the recipients, always in the same order: so the bound is exact whoever else
counts.
"""

import datetime
import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    UUID,
    Connection,
    DateTime,
    LargeBinary,
    bindparam,
    delete,
    select,
    text,
)
from sqlalchemy.orm import Session

from contracts.notifications.enums import Channel
from notifications.mail.leases import Claimed
from notifications.models import Recipient

#: A message and the key of its recipient.
_Asked = tuple[uuid.UUID, bytes]

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)

#: What a recipient has got in the hour, and in the day, that is not over yet.
_THIS_HOUR = "CASE WHEN r.hour_began > :hour_ago THEN r.hour_count ELSE 0 END"
_THIS_DAY = "CASE WHEN r.day_began > :day_ago THEN r.day_count ELSE 0 END"
_MOMENT = DateTime(timezone=True)
_COUNT = (
    text(
        f"""
        WITH asked AS (
            SELECT * FROM unnest(:ids, :keys) AS asked (id, key)
        ), wanted AS (
            SELECT key, count(*) AS messages FROM asked GROUP BY key
        ), counted AS (
            INSERT INTO recipients AS r (key, hour_began, hour_count, day_began, day_count)
            SELECT key, :now, messages, :now, messages FROM wanted
            WHERE messages <= least(:per_hour, :per_day) ORDER BY key
            ON CONFLICT (key) DO UPDATE SET
                hour_began = CASE WHEN r.hour_began > :hour_ago THEN r.hour_began ELSE :now END,
                hour_count = {_THIS_HOUR} + excluded.hour_count,
                day_began = CASE WHEN r.day_began > :day_ago THEN r.day_began ELSE :now END,
                day_count = {_THIS_DAY} + excluded.day_count
            WHERE {_THIS_HOUR} + excluded.hour_count <= :per_hour
                AND {_THIS_DAY} + excluded.day_count <= :per_day
            RETURNING key
        )
        UPDATE notifications SET is_counted = true FROM asked JOIN counted USING (key)
        WHERE notifications.id = asked.id RETURNING notifications.id
        """  # noqa: S608  (words of ours)
    )
    .bindparams(
        bindparam("ids", type_=ARRAY(UUID)),
        bindparam("keys", type_=ARRAY(LargeBinary)),
        *(bindparam(name, type_=_MOMENT) for name in ("now", "hour_ago", "day_ago")),
    )
    .columns(id=UUID)
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
    connection: Connection,
    messages: Iterable[tuple[Claimed, str]],
    limits: Mapping[bool, Limit],
    now: datetime.datetime,
) -> set[uuid.UUID]:
    """Count messages, each with its address, oldest first; the ids of those that are too many.

    `limits` has a limit for messages about security (True) and for others (False).
    """
    by_kind = defaultdict(list)
    for message, address in messages:
        if not message.is_counted:
            key = key_of(address, message.channel, message.is_security)
            by_kind[message.is_security].append((message.id, key))
    refused = set()
    for is_security, asked in by_kind.items():
        refused |= _refused(connection, asked, limits[is_security], now)
    return refused


def purge(session: Session, now: datetime.datetime, limit: int = 10_000) -> None:
    """Forget who has got nothing for a day, `limit` recipients at most."""
    old = select(Recipient.key).where(Recipient.day_began <= now - DAY).limit(limit)
    session.execute(
        delete(Recipient).where(Recipient.key.in_(old.with_for_update(skip_locked=True)))
    )


def _refused(
    connection: Connection, asked: Sequence[_Asked], limit: Limit, now: datetime.datetime
) -> set[uuid.UUID]:
    """Count all messages of each recipient, or, where that would be too many, one by one."""
    counted = _count(connection, asked, limit, now)
    refused, full = set(), set()
    for message_id, key in asked:
        if message_id in counted:
            continue
        if key in full or not _count(connection, [(message_id, key)], limit, now):
            full.add(key)
            refused.add(message_id)
    return refused


def _count(
    connection: Connection, asked: Sequence[_Asked], limit: Limit, now: datetime.datetime
) -> set[uuid.UUID]:
    """Count messages by one statement; those of a recipient all, or none of them when they are too
    many. Returns which were counted."""
    ids, keys = zip(*asked, strict=True)
    values = {"ids": list(ids), "keys": list(keys), "now": now}
    values |= {"per_hour": limit.per_hour, "per_day": limit.per_day}
    values |= {"hour_ago": now - HOUR, "day_ago": now - DAY}
    return set(connection.execute(_COUNT, values).scalars())
