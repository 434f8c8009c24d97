"""Entries of the audit trail: written, and deleted when their time is over."""

import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import insert
from sqlalchemy.orm import Session

from chassis.database import after_commit
from chassis.identity import Actor
from chassis.messages import Event
from chassis.origin import abbreviated
from contracts.users.enums import Action
from users import expiry
from users.context import Context
from users.models import AuditEntry
from users.origin import NOWHERE, Origin

#: The trigger of the table holds it as well (migration 0006).
LEAST_RETENTION = datetime.timedelta(days=90)

#: The fields of an entry that are logged: no networks.
_LOGGED = ("action", "user_id", "actor_id", "actor_role", "target", "target_id")


def record(
    context: Context,
    session: Session,
    action: Action,
    user_id: UUID | None,
    actor: Actor | None,
    origin: Origin = NOWHERE,
    **detail: Any,
) -> None:
    """Write that `actor` did `action` to `user_id` in this request. An actor of None is somebody
    who is not known, such as one who guesses a password. `detail` is JSON-able and holds nothing
    personal."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    entry = _entry(action, user_id, actor, origin, detail) | {"request_id": request_id}
    _write(context, session, entry | {"at": context.clock()})


def record_staff_action(context: Context, event: Event) -> None:
    """Write what staff did in another service, as that one's `staff_acted` tells it."""
    acted = event.payload
    entry = _entry(
        acted["action"],
        acted["user_id"],
        Actor(acted["actor_id"], acted["actor_role"]),
        Origin(network=abbreviated(acted["network"])),
        acted["detail"],
    )
    of_event = {"at": event.occurred_at, "request_id": event.request_id}
    thing = {"target": acted["target"], "target_id": acted["target_id"]}
    with context.db.once(event) as session:
        _write(context, session, entry | of_event | thing)


def purge(
    session: Session, now: datetime.datetime, retention: datetime.timedelta, limit: int = 10_000
) -> None:
    """Delete what is older than `retention`, `limit` entries at most."""
    is_over = AuditEntry.at < now - max(retention, LEAST_RETENTION)
    expiry.delete_some(session, AuditEntry.id, is_over, limit)


def _entry(
    action: str, user_id: UUID | None, actor: Actor | None, origin: Origin, detail: dict[str, Any]
) -> dict[str, Any]:
    return {
        "action": str(action),
        "target": None,
        "target_id": None,
        "user_id": user_id,
        "actor_id": actor and actor.user_id,
        "actor_role": actor and str(actor.role),
        "network": origin.network,
        "client": origin.client,
        "detail": detail,
    }


def _write(context: Context, session: Session, entry: dict[str, Any]) -> None:
    session.execute(insert(AuditEntry).values(entry))
    shown = {name: entry[name] and str(entry[name]) for name in _LOGGED}
    after_commit(session, partial(context.log.info, "audit", **shown))
