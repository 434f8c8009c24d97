"""Notifications are written, by events or by staff, and marked as read; each is a transaction."""

import datetime
import itertools
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, UUID, BigInteger, bindparam, insert, select, text, update
from sqlalchemy.orm import Session

from chassis import idempotency, staff
from chassis.errors import Forbidden
from chassis.identity import Actor
from chassis.json_rows import insert_rows, rows_of
from chassis.messages import Event, Json
from contracts.notifications.enums import Channel, Status
from contracts.notifications.errors import RecipientNotFound
from contracts.users.enums import Action, Target
from notifications.context import Context
from notifications.feed import queries
from notifications.mail import addresses, templates
from notifications.models import Base, Notification, RequestKey

#: The channels on which an event is announced.
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

_WRITE_ONCE = insert_rows(
    Base.metadata.tables["notifications"], but={"failure_code", "read", "attempts", "is_counted"}
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


def announce(context: Context, events: Sequence[Event]) -> None:
    """Write the notifications about `events`, once per event and channel."""
    with context.db.once_each(events) as (session, fresh):
        _write_about(session, fresh, context.clock())
        for user_id in {event.payload["user_id"] for event in fresh}:
            context.broadcast.publish(session, "feed_grew", {"user_id": user_id})


def announce_request(context: Context, event: Event, **request: uuid.UUID) -> None:
    """Write the mail about a request (`reset_id` or `verification_id`), without the token: that is
    added when it goes. It is in no feed, which others may see."""
    with context.db.once(event) as session:
        user_id = event.payload["user_id"]
        if user_id is None:
            return
        message = templates.render(event.type, {})
        words = message.subject, message.body
        row = _row(user_id, Channel.EMAIL, *words, None, context.clock())
        row |= {"event_id": event.id, "is_security": True, "cause": context.trace.saved()} | request
        session.execute(_WRITE_ONCE, rows_of([row]))


def send(
    context: Context,
    actor: Actor,
    key: str | None,
    *,
    user_id: uuid.UUID,
    channel: str,
    subject: str,
    body: str,
) -> Json:
    """Write a message to a user, once per key; `replayed` says that it had been written before.

    Raises `Forbidden`, `RecipientNotFound`, and `idempotency.KeyReused` when the actor has used the
    key for another message.
    """
    require_staff(actor)
    if not addresses.contacts(context, [user_id]):
        raise RecipientNotFound
    now = context.clock()
    fingerprint = idempotency.fingerprint(
        user_id=user_id, channel=channel, subject=subject, body=body
    )
    with context.db.begin() as session:
        claim = idempotency.claim(session, RequestKey, actor.user_id, "send", key, fingerprint, now)
        if claim.is_new:
            position = _next_positions(session, [user_id])[0] if channel == Channel.IN_APP else None
            row = _row(user_id, channel, subject, body, position, now)
            row |= {"id": claim.resource_id, "cause": context.trace.saved()}
            session.execute(insert(Notification).values(row))
            about = Target.NOTIFICATION, claim.resource_id, user_id
            staff.tell(context, session, actor, Action.MESSAGE_SENT, *about, channel=channel)
        context.broadcast.publish(session, "feed_grew", {"user_id": user_id})
        written = select(*queries.COLUMNS).where(Notification.id == claim.resource_id)
        message = session.execute(written).mappings().one()
    return {**message, "replayed": not claim.is_new}


def mark_read(context: Context, actor: Actor, notification_id: uuid.UUID, read: bool) -> Json:
    """The notification, marked as read or unread; raises `NotificationNotFound`."""
    marked = (
        queries.visible(update(Notification), actor)
        .where(Notification.id == notification_id)
        .values(read=read)
        .returning(*queries.COLUMNS)
    )
    with context.db.autocommit() as connection:
        return queries.found(connection.execute(marked).mappings().first())


def require_staff(actor: Actor) -> None:
    """Raise `Forbidden` for customers."""
    if not actor.is_staff:
        raise Forbidden


def _write_about(session: Session, events: Sequence[Event], now: datetime.datetime) -> None:
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
    last = {row.user_id: row.last for row in session.execute(_GROW, grown)}
    free = {user_id: itertools.count(last[user_id] - counts[user_id] + 1) for user_id in users}
    return [next(free[user_id]) for user_id in user_ids]
