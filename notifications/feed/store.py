"""Notifications as rows: written by events or by `send`, read by their owner."""

import datetime
import itertools
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    UUID,
    BigInteger,
    Connection,
    Select,
    bindparam,
    case,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from chassis import idempotency, paging
from chassis.errors import Forbidden
from chassis.events import Event
from chassis.identity import Actor
from chassis.json_rows import insert_rows, rows_of
from contracts.notifications.enums import Channel, Status
from contracts.notifications.errors import NotificationNotFound
from notifications.mail import templates
from notifications.models import Notification, RequestKey

#: Where an event is told.
_ANNOUNCED_ON = (Channel.EMAIL, Channel.IN_APP)

#: Events about the security of an account.
SECURITY = {
    "password_changed",
    "email_change_requested",
    "email_changed",
    "totp_enabled",
    "totp_disabled",
    "recovery_code_used",
    "recovery_codes_renewed",
}

#: Without success; then the failure has a code.
_ENDED = (Status.FAILED, Status.SKIPPED, Status.SUPPRESSED)

#: What is shown; the rest of the row is ours.
SHOWN = (
    Notification.id,
    Notification.user_id,
    Notification.channel,
    Notification.subject,
    Notification.body,
    Notification.status,
    # While a message is on its way, the column is a note of the delivery to itself.
    case((Notification.status.in_(_ENDED), Notification.failure_code)).label("failure_code"),
    Notification.read,
    Notification.created_at,
)

_WRITE_ONCE = insert_rows(
    Notification.__table__, but={"failure_code", "read", "attempts", "is_counted"}
)

_GROW = (
    text(
        "INSERT INTO feeds (user_id, last) SELECT * FROM unnest(:users, :counts)"
        " ON CONFLICT (user_id) DO UPDATE SET last = feeds.last + excluded.last"
        " RETURNING user_id, last"
    )
    .bindparams(bindparam("users", type_=ARRAY(UUID)), bindparam("counts", type_=ARRAY(BigInteger)))
    .columns(user_id=UUID, last=BigInteger)
)

_NEWEST = paging.Keyset("notifications", Notification.created_at, Notification.id)


def announce(session: Session, events: Sequence[Event], now: datetime.datetime) -> None:
    """Write the notifications about `events`, once per event and channel."""
    if not events:
        return
    positions = _next_positions(session, [event.payload["user_id"] for event in events])
    rows = []
    for event, position in zip(events, positions, strict=True):
        facts, message = event.payload, templates.render(event.type, event.payload)
        of_event = {
            "event_id": event.id,
            "order_id": facts.get("order_id"),
            "email_change_id": facts.get("change_id"),
            "is_security": event.type in SECURITY,
            "cause": event.trace_context,
        }
        for channel in _ANNOUNCED_ON:
            row = _row(facts["user_id"], channel, message.subject, message.body, position, now)
            rows.append(row | of_event)
    session.execute(_WRITE_ONCE, rows_of(rows))


def mail(
    session: Session,
    event: Event,
    cause: Mapping[str, Any],
    now: datetime.datetime,
    **request: uuid.UUID,
) -> None:
    """Write the mail about a request (`reset_id` or `verification_id`), without the token: that is
    added when it goes. It is in no feed, which others may see."""
    message = templates.render(event.type, {})
    row = _row(event.payload["user_id"], Channel.EMAIL, message.subject, message.body, None, now)
    row |= {"event_id": event.id, "is_security": True, "cause": cause} | request
    session.execute(_WRITE_ONCE, rows_of([row]))


def send(
    session: Session,
    *,
    user_id: uuid.UUID,
    channel: str,
    subject: str,
    body: str,
    key: str | None,
    actor: Actor,
    cause: Mapping[str, Any],
    now: datetime.datetime,
) -> tuple[Mapping[str, Any], bool]:
    """The message of this key, and whether it was written before.

    Raises `idempotency.KeyReused` when the actor has used the key for another message.
    """
    print_ = idempotency.fingerprint(user_id=user_id, channel=channel, subject=subject, body=body)
    claim = idempotency.claim(session, RequestKey, actor.user_id, "send", key, print_, now)
    if claim.is_new:
        position = _next_positions(session, [user_id])[0] if channel == Channel.IN_APP else None
        row = _row(user_id, channel, subject, body, position, now)
        row |= {"id": claim.resource_id, "cause": cause}
        session.execute(insert(Notification).values(row))
    written = select(*SHOWN).where(Notification.id == claim.resource_id)
    return session.execute(written).mappings().one(), not claim.is_new


def get(connection: Connection, notification_id: uuid.UUID, actor: Actor) -> Mapping[str, Any]:
    """One notification of the actor's (staff: any); raises `NotificationNotFound`."""
    wanted = _visible(select(*SHOWN), actor).where(Notification.id == notification_id)
    return _found(connection.execute(wanted).mappings().first())


def mark_read(
    connection: Connection, notification_id: uuid.UUID, read: bool, actor: Actor
) -> Mapping[str, Any]:
    """The notification, marked; raises `NotificationNotFound`."""
    marked = (
        _visible(update(Notification), actor)
        .where(Notification.id == notification_id)
        .values(read=read)
        .returning(*SHOWN)
    )
    return _found(connection.execute(marked).mappings().first())


def of_user(
    connection: Connection,
    user_id: uuid.UUID,
    actor: Actor,
    *,
    unread: bool | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[Mapping[str, Any]], str | None]:
    """A user's notifications, newest first, and the cursor of the next page.

    `unread` True or False leaves only those. Raises `NotificationNotFound` for somebody else's.
    """
    if not (actor.is_staff or actor.user_id == user_id):
        raise NotificationNotFound
    wanted = select(*SHOWN).where(Notification.user_id == user_id)
    if unread is not None:
        wanted = wanted.where(~Notification.read if unread else Notification.read)
    return _NEWEST.page(connection, wanted, limit, cursor)


def require_staff(actor: Actor) -> None:
    """Raise `Forbidden` for customers."""
    if not actor.is_staff:
        raise Forbidden


def _row(
    user_id: uuid.UUID,
    channel: str,
    subject: str,
    body: str,
    position: int | None,
    now: datetime.datetime,
) -> dict[str, Any]:
    """A new row. The feed needs no delivery: what is written there has arrived."""
    here = channel == Channel.IN_APP
    return {
        "id": uuid.uuid4(),
        "user_id": user_id,
        "order_id": None,
        "event_id": None,
        "reset_id": None,
        "verification_id": None,
        "email_change_id": None,
        "is_security": False,
        "channel": channel,
        "subject": subject,
        "body": body,
        "position": position if here else None,
        "status": Status.SENT if here else Status.PENDING,
        "created_at": now,
        "sent_at": now if here else None,
        "claimed_until": now,
    }


def _next_positions(session: Session, user_ids: Sequence[uuid.UUID]) -> list[int]:
    """The next places in these users' feeds, one for each time that a user is named, in order. The
    feeds are locked from now on, always in the same order."""
    counts = Counter(user_ids)
    users = sorted(counts)
    grown = {"users": users, "counts": [counts[user_id] for user_id in users]}
    last = dict(session.execute(_GROW, grown).all())
    free = {user_id: itertools.count(last[user_id] - counts[user_id] + 1) for user_id in users}
    return [next(free[user_id]) for user_id in user_ids]


def _visible(statement: Any, actor: Actor) -> Select | Any:
    """`statement`, for staff as it is and for anyone else on their own rows only."""
    return statement if actor.is_staff else statement.where(Notification.user_id == actor.user_id)


def _found(row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if row is None:
        raise NotificationNotFound
    return row
