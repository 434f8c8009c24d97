"""Feeds as they grow: what came after a position, how far each has come, and who watches.

Who writes into a feed tells of it only while that is watched (`notifications.feed.store`). The
note with which a stream opens and a write wait for each other on the feed's row: what the note does
not see in the feed is told of. A note that is renewed too late may miss one; the next question
finds it.
"""

import datetime
import uuid
from collections.abc import Sequence

from sqlalchemy import (
    ARRAY,
    UUID,
    BigInteger,
    Connection,
    DateTime,
    RowMapping,
    bindparam,
    select,
    text,
)

from chassis.messages import Json
from notifications.feed.queries import COLUMNS
from notifications.models import Feed, Notification

#: How long a feed counts as watched after somebody asked how far it has come. That is noted anew
#: when half of it is over; gateways ask every 5 minutes or more often (`live.catch_up_seconds`).
WATCHED = datetime.timedelta(minutes=10)

_MOMENT = DateTime(timezone=True)
_UNTIL = bindparam("until", type_=_MOMENT)
_WATCH = (
    text(
        "INSERT INTO feeds (user_id, last, watched_until) VALUES (:user_id, 0, :until)"
        " ON CONFLICT (user_id) DO UPDATE SET watched_until = excluded.watched_until"
        " RETURNING last"
    )
    .bindparams(bindparam("user_id", type_=UUID), _UNTIL)
    .columns(last=BigInteger)
)
_WATCH_ON = (
    text(
        """
        WITH due AS (
            SELECT user_id FROM feeds WHERE user_id = ANY(:users)
            AND (watched_until IS NULL OR watched_until < :soon)
            ORDER BY user_id FOR NO KEY UPDATE
        ), noted AS (
            UPDATE feeds SET watched_until = :until FROM due WHERE feeds.user_id = due.user_id
        )
        SELECT user_id, last FROM feeds WHERE user_id = ANY(:users) AND last > 0
        """
    )
    .bindparams(bindparam("users", type_=ARRAY(UUID)), bindparam("soon", type_=_MOMENT), _UNTIL)
    .columns(user_id=UUID, last=BigInteger)
)


def since(
    connection: Connection,
    user_id: uuid.UUID,
    after: int | None,
    limit: int,
    now: datetime.datetime,
) -> Json:
    """What came into a user's feed after a position, oldest first, and the position reached: the
    feed's end, also for a position that it has not come to.

    `after` None is the end of the feed, for somebody who watches it from `now` on.
    """
    if after is None:
        values = {"user_id": user_id, "until": now + WATCHED}
        return {"items": [], "reached": connection.execute(_WATCH, values).scalar_one()}
    last = connection.execute(select(Feed.last).where(Feed.user_id == user_id)).scalar() or 0
    if after >= last:
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


def positions(
    connection: Connection, user_ids: Sequence[uuid.UUID], now: datetime.datetime
) -> Json:
    """How far each of these feeds has come, for somebody who goes on watching them; empty ones are
    left out."""
    values = {"users": list(user_ids), "soon": now + WATCHED / 2, "until": now + WATCHED}
    return {"items": connection.execute(_WATCH_ON, values).mappings().all()}


def _end(items: Sequence[RowMapping]) -> int:
    return items[-1]["position"] if items else 0
