"""Feeds as they grow: what came after a position, and how far each has come."""

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from chassis.messages import Json
from notifications.feed.queries import COLUMNS
from notifications.models import Feed, Notification


def since(connection: Connection, user_id: uuid.UUID, after: int | None, limit: int) -> Json:
    """What came into a user's feed after a position, oldest first, and the position reached.

    `after` None is the end of the feed, and so is a position that it has not come to.
    """
    last = connection.execute(select(Feed.last).where(Feed.user_id == user_id)).scalar() or 0
    if after is None or after >= last:
        return {"items": [], "reached": last}
    query = (
        select(*COLUMNS, Notification.order_id, Notification.position)
        .where(Notification.user_id == user_id, Notification.position > after)
        .order_by(Notification.position)
        .limit(limit)
    )
    items = connection.execute(query).mappings().all()
    # At some positions nothing is: they were taken by a repeat of what is there already.
    reached = _end(items) if len(items) == limit else max(last, _end(items))
    return {"items": items, "reached": reached}


def positions(connection: Connection, user_ids: Sequence[uuid.UUID]) -> Json:
    """How far each of these feeds has come; empty ones are left out."""
    query = select(Feed.user_id, Feed.last).where(Feed.user_id.in_(user_ids))
    return {"items": connection.execute(query).mappings().all()}


def _end(items: Sequence[RowMapping]) -> int:
    return items[-1]["position"] if items else 0
