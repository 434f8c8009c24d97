"""Feeds and notifications as rows, as they are written."""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import UUID, BigInteger, Boolean, Connection, DateTime, bindparam, text
from sqlalchemy.orm import Session

from chassis.json_rows import rows_of, with_documents
from notifications.models import Notification

_NOW = bindparam("now", type_=DateTime(timezone=True))

#: What comes as it is; the rest is numbered here, or begins with its default.
_GIVEN = ", ".join(
    name
    for name in Notification.__table__.columns.keys()  # noqa: SIM118  (not a dict)
    if name not in {"position", "failure_code", "read", "attempts", "is_counted"}
)
# The order of the inbox rows, then of the feeds, is the same for all: instances with the same
# events or users wait for one another, never in a circle.
_WRITE_ONCE = (
    with_documents(
        f"""
        WITH rows AS (
            SELECT * FROM
            jsonb_populate_recordset(NULL::notifications, CAST(:rows AS jsonb)) WITH ORDINALITY
        ), fresh AS (
            INSERT INTO inbox (event_id, handler)
            SELECT DISTINCT event_id, :handler FROM rows ORDER BY event_id
            ON CONFLICT DO NOTHING RETURNING event_id
        ), new AS (
            SELECT rows.* FROM rows JOIN fresh USING (event_id)
        ), grown AS (
            INSERT INTO feeds (user_id, last)
            SELECT user_id, count(*) FROM new WHERE channel = 'in_app'
            GROUP BY user_id ORDER BY user_id
            ON CONFLICT (user_id) DO UPDATE SET last = feeds.last + excluded.last
            RETURNING user_id, last, watched_until
        ), placed AS (
            SELECT new.*, row_number() OVER (
                PARTITION BY user_id, channel ORDER BY ordinality DESC
            ) - 1 AS before_last FROM new
        ), written AS (
            INSERT INTO notifications ({_GIVEN}, position)
            SELECT {_GIVEN}, CASE WHEN channel = 'in_app' THEN last - before_last END
            FROM placed LEFT JOIN grown USING (user_id)
            ON CONFLICT DO NOTHING
        )
        SELECT user_id FROM grown WHERE watched_until > :now
        """,  # noqa: S608  (names of ours)
        "rows",
    )
    .bindparams(_NOW)
    .columns(user_id=UUID)
)
_GROW = (
    text(
        "INSERT INTO feeds (user_id, last) VALUES (:user_id, 1)"
        " ON CONFLICT (user_id) DO UPDATE SET last = feeds.last + 1"
        " RETURNING last, coalesce(watched_until > :now, false) AS is_watched"
    )
    .bindparams(bindparam("user_id", type_=UUID), _NOW)
    .columns(last=BigInteger, is_watched=Boolean)
)


def write_once(
    connection: Connection, handler: str, rows: Iterable[Mapping[str, Any]], now: datetime.datetime
) -> Sequence[uuid.UUID]:
    """Write notifications by events, each once per event and channel, by one statement with the
    inbox rows of `handler`; what is in the feed gets its positions, in the order of `rows`.
    Returns the users whose feeds have grown while somebody watches."""
    values = rows_of(list(rows)) | {"handler": handler, "now": now}
    return connection.execute(_WRITE_ONCE, values).scalars().all()


def next_position(session: Session, user_id: uuid.UUID, now: datetime.datetime) -> tuple[int, bool]:
    """The next place in a user's feed, which is locked from now on, and whether it is watched."""
    grown = session.execute(_GROW, {"user_id": user_id, "now": now}).one()
    return grown.last, grown.is_watched
