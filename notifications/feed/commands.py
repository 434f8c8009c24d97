"""Notifications are written, by events or by staff, and marked as read; each is a transaction."""

import datetime
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from chassis import idempotency, staff
from chassis.identity import Actor
from chassis.messages import Event, Json
from chassis.staff import require_staff
from contracts.notifications.enums import Channel, Status
from contracts.notifications.errors import RecipientNotFound
from contracts.users.enums import Action, Target
from notifications.context import Context
from notifications.feed import queries, store
from notifications.mail import addresses, templates
from notifications.models import Notification, RequestKey

#: The channels on which an event is announced.
_ANNOUNCED_ON = (Channel.EMAIL, Channel.IN_APP)
#: Events that are not worth a mail.
_QUIET = {"fulfilment_cancelled"}

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


def announce(context: Context, events: Sequence[Event]) -> None:
    """Write the notifications about `events`, once per event and channel, and tell those who watch
    a feed that it has grown."""
    now = context.clock()
    rows = [row for event in events for row in _rows_about(event, now)]
    with context.db.autocommit() as connection:
        watched = store.write_once(connection, context.db.handler, rows, now)
    for user_id in watched:
        context.broadcast.publish_now("feed_grew", {"user_id": user_id})


def announce_requests(context: Context, events: Sequence[Event], request: str) -> None:
    """Write the mails about requests (`request` is `reset_id` or `verification_id`), without the
    token: that is added when they go. They are in no feed, which others may see."""
    now, rows = context.clock(), []
    for event in events:
        facts, message = event.payload, templates.render(event.type, {})
        if facts["user_id"] is not None:
            row = _row(facts["user_id"], Channel.EMAIL, message.subject, message.body, now)
            row |= {"event_id": event.id, "is_security": True, "cause": event.trace_context}
            rows.append(row | {request: facts[request]})
    if rows:
        with context.db.autocommit() as connection:
            store.write_once(connection, context.db.handler, rows, now)


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
            row = _row(user_id, channel, subject, body, now)
            row |= {"id": claim.resource_id, "cause": context.trace.saved()}
            if channel == Channel.IN_APP:
                row["position"], is_watched = store.next_position(session, user_id, now)
                if is_watched:
                    context.broadcast.publish(session, "feed_grew", {"user_id": user_id})
            session.execute(insert(Notification).values(row))
            about = Target.NOTIFICATION, claim.resource_id, user_id
            staff.tell(context, session, actor, Action.MESSAGE_SENT, *about, channel=channel)
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


def _rows_about(event: Event, now: datetime.datetime) -> Iterator[dict[str, Any]]:
    facts, message = event.payload, templates.render(event.type, event.payload)
    of_event = {
        "event_id": event.id,
        "order_id": facts.get("order_id"),
        "email_change_id": facts.get("change_id"),
        "is_security": event.type in SECURITY,
        "cause": event.trace_context,
    }
    for channel in (Channel.IN_APP,) if event.type in _QUIET else _ANNOUNCED_ON:
        yield _row(facts["user_id"], channel, message.subject, message.body, now) | of_event


def _row(
    user_id: uuid.UUID,
    channel: str,
    subject: str,
    body: str,
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
        "status": Status.SENT if here else Status.PENDING,
        "created_at": now,
        "sent_at": now if here else None,
        "claimed_until": now,
    }
