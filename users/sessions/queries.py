"""What is known of sessions: whether one goes on, and which a user has."""

import datetime
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection, RowMapping

from contracts.users.errors import SessionEnded
from users.models import LoginSession, Totp, User
from users.sessions.store import MAX_SESSIONS


def check(
    connection: Connection, user_id: UUID, session_id: UUID | None, now: datetime.datetime
) -> RowMapping:
    """The `role` of a user whose session goes on, and `has_totp`; raises `SessionEnded`. Old tokens
    name no session: then it is enough that the user is there."""
    factor = select(Totp.user_id).where(Totp.user_id == User.id, Totp.confirmed_at.is_not(None))
    alive = select(User.role, factor.exists().label("has_totp")).where(
        User.id == user_id, User.deleted_at.is_(None)
    )
    if session_id is not None:
        mine = LoginSession.user_id == User.id
        alive = alive.join(LoginSession, mine).where(
            LoginSession.id == session_id, LoginSession.expires_at > now
        )
    found = connection.execute(alive).mappings().first()
    if found is None:
        raise SessionEnded()
    return found


def ended_among(
    connection: Connection, session_ids: Sequence[UUID], now: datetime.datetime
) -> list[UUID]:
    """Those of these sessions that have ended."""
    going_on = select(LoginSession.id).where(
        LoginSession.id.in_(session_ids), LoginSession.expires_at > now
    )
    return list(set(session_ids) - set(connection.scalars(going_on)))


def of_user(
    connection: Connection, user_id: UUID, asking: UUID | None, now: datetime.datetime
) -> list[dict[str, Any]]:
    """The sessions of a user, the last used first, of which the one that is `asking` is `current`;
    `MAX_SESSIONS` are all there can be."""
    table = LoginSession.__table__
    mine = select(table).where(table.c.user_id == user_id, table.c.expires_at > now)
    mine = mine.order_by(table.c.last_used_at.desc(), table.c.id).limit(MAX_SESSIONS)
    rows = connection.execute(mine).mappings()
    return [{**row, "current": row["id"] == asking} for row in rows]
