"""The timeline of an order: what happened to it, when, why and by whom.

Every entry is written in the transaction that makes the change. Nothing here names a person: the
actor is a role.
"""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from chassis.identity import Actor
from contracts.orders.enums import Cause, TimelineCause, TimelineKind
from orders.context import Context
from orders.models import TimelineEntry

#: How many entries are shown, the newest.
SHOWN = 500


def add(
    context: Context,
    session: Session,
    order_id: uuid.UUID,
    kind: TimelineKind,
    cause: Cause | TimelineCause,
    actor: Actor = Actor.SYSTEM,
    **detail: Any,
) -> None:
    """Append an entry; `detail` is JSON-able and without personal data. What one transaction adds
    is written by one statement."""
    one = entry(order_id, context.clock(), kind, cause, actor, trace_id=context.trace_id, **detail)
    session.add(TimelineEntry(**one))


def entry(
    order_id: uuid.UUID,
    at: datetime.datetime,
    kind: TimelineKind,
    cause: Cause | TimelineCause,
    actor: Actor = Actor.SYSTEM,
    *,
    trace_id: str | None,
    **detail: Any,
) -> dict[str, Any]:
    """An entry to be, as a row."""
    return {
        "order_id": order_id,
        "at": at,
        "kind": kind,
        "cause": str(cause),
        "actor": str(actor.role),
        "detail": {name: _plain(value) for name, value in detail.items()},
        "trace_id": trace_id,
    }


def of_order(connection: Connection, order_id: uuid.UUID) -> list[Mapping[str, Any]]:
    """The entries of an order in the order in which they were written."""
    row = TimelineEntry
    newest = (
        select(row.at, row.kind, row.cause, row.actor, row.detail, row.trace_id)
        .where(row.order_id == order_id)
        .order_by(row.id.desc())
        .limit(SHOWN)
    )
    rows = connection.execute(newest).mappings().all()
    return [dict(each) for each in reversed(rows)]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value if isinstance(value, int | bool | list | None) else str(value)
