"""Reading the audit trail, the newest entries first."""

import datetime
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, select

from chassis.paging import Keyset
from contracts.users.enums import Action
from users.models import AuditEntry

#: The entries about themselves that users can see.
SIGN_INS = (Action.SIGNED_IN, Action.SIGN_IN_FAILED)

_TABLE = AuditEntry.__table__
_ENTRIES = Keyset("audit", _TABLE.c.at, _TABLE.c.id)
_SIGN_INS = Keyset("sign-ins", _TABLE.c.at, _TABLE.c.id)


def page(
    connection: Connection,
    limit: int,
    cursor: str | None,
    *,
    user_id: UUID | None = None,
    actor_id: UUID | None = None,
    action: str | None = None,
    target: str | None = None,
    target_id: str | None = None,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> tuple[Sequence[RowMapping], str | None]:
    """Up to `limit` entries after `cursor`, from `since` on, before `until`; and the cursor of the
    next page."""
    query: Select[Any] = select(_TABLE)
    if user_id is not None:
        query = query.where(_TABLE.c.user_id == user_id)
    if actor_id is not None:
        query = query.where(_TABLE.c.actor_id == actor_id)
    if action is not None:
        query = query.where(_TABLE.c.action == action)
    if target is not None:
        query = query.where(_TABLE.c.target == target)
    if target_id is not None:
        query = query.where(_TABLE.c.target.is_not(None), _TABLE.c.target_id == target_id)
    if since is not None:
        query = query.where(_TABLE.c.at >= since)
    if until is not None:
        query = query.where(_TABLE.c.at < until)
    return _ENTRIES.page(connection, query, limit, cursor)


def sign_ins(
    connection: Connection, user_id: UUID, limit: int, cursor: str | None
) -> tuple[Sequence[RowMapping], str | None]:
    """When and from where a user has signed in, or somebody tried to."""
    succeeded = (_TABLE.c.action == Action.SIGNED_IN).label("succeeded")
    mine = select(_TABLE, succeeded).where(
        _TABLE.c.user_id == user_id, _TABLE.c.action.in_(SIGN_INS)
    )
    return _SIGN_INS.page(connection, mine, limit, cursor)
