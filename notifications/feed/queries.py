"""Notifications as their owners and staff read them."""

import uuid
from typing import Any

from sqlalchemy import Connection, RowMapping, case, select

from chassis import paging
from chassis.identity import Actor
from chassis.messages import Json
from chassis.trace import trace_id_of
from contracts.notifications.enums import Channel, Status
from contracts.notifications.errors import NotificationNotFound
from notifications.models import Notification

#: Without success; then the failure has a code.
_ENDED = (Status.FAILED, Status.SKIPPED, Status.SUPPRESSED)

#: What is answered; the rest of the row is internal.
COLUMNS = (
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

_NEWEST = paging.Keyset("notifications", Notification.created_at, Notification.id)


def list_of(
    connection: Connection,
    user_id: uuid.UUID,
    actor: Actor,
    *,
    unread: bool | None,
    limit: int,
    cursor: str | None,
) -> Json:
    """A page of a user's notifications, newest first.

    `unread` True or False leaves only those. Raises `NotificationNotFound` for somebody else's.
    """
    if not (actor.is_staff or actor.user_id == user_id):
        raise NotificationNotFound
    query = select(*COLUMNS).where(Notification.user_id == user_id)
    if unread is not None:
        query = query.where(~Notification.read if unread else Notification.read)
    items, following = _NEWEST.page(connection, query, limit, cursor)
    return {"items": items, "next": following}


def sent_about(connection: Connection, order_id: uuid.UUID, limit: int) -> Json:
    """Which mails and text messages about an order have left, oldest first; of more than `limit`
    the newest."""
    row = Notification
    query = (
        select(row.id, row.channel, row.sent_at, row.cause)
        .where(row.order_id == order_id, row.channel != Channel.IN_APP, row.status == Status.SENT)
        .order_by(row.sent_at.desc())
        .limit(limit)
    )
    items = [
        {
            "notification_id": sent.id,
            "channel": sent.channel,
            "at": sent.sent_at,
            "trace_id": trace_id_of(sent.cause.get("traceparent")),
        }
        for sent in connection.execute(query)
    ]
    return {"items": items[::-1]}


def visible(statement: Any, actor: Actor) -> Any:
    """`statement`, for staff as it is and for anyone else on their own rows only."""
    return statement if actor.is_staff else statement.where(Notification.user_id == actor.user_id)


def found(row: RowMapping | None) -> Json:
    """The row; raises `NotificationNotFound` when there is none."""
    if row is None:
        raise NotificationNotFound
    return {**row}
