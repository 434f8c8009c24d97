"""The audit trail: who did what to whom or to which thing, from where, in which request.

An entry is written in the transaction of what it tells, so one exists if and only if that happened.
What staff do in another service comes as an event of that one's transaction (`chassis.staff`).
Nothing changes an entry; triggers refuse it. None goes before `LEAST_RETENTION` is over: until then
the database refuses that too. No name, address or secret is in an entry: people are ids.
"""

import datetime
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from chassis import paging
from chassis.identity import Actor
from chassis.messages import Event
from chassis.origin import abbreviated
from users.models import AuditEntry
from users.origin import Origin

#: The trigger of the table holds it as well (migration 0006).
LEAST_RETENTION = datetime.timedelta(days=90)


class Action(StrEnum):
    """What was done."""

    USER_REGISTERED = "user_registered"
    USER_CREATED = "user_created"
    USER_DELETED = "user_deleted"
    ACCOUNT_CHANGED = "account_changed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_VERIFIED = "email_verified"
    ROLE_CHANGED = "role_changed"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    TOTP_ENABLED = "totp_enabled"
    TOTP_DISABLED = "totp_disabled"
    TOTP_RESET = "totp_reset"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    SIGNING_KEYS_ROTATED = "signing_keys_rotated"
    # By staff, in other services.
    PRODUCT_CREATED = "product_created"
    PRODUCT_CHANGED = "product_changed"
    PRODUCT_DELETED = "product_deleted"
    CATEGORY_CREATED = "category_created"
    CATEGORY_CHANGED = "category_changed"
    CATEGORY_DELETED = "category_deleted"
    STOCK_ADJUSTED = "stock_adjusted"
    ORDER_ADDRESS_CHANGED = "order_address_changed"
    ORDER_SHIPPED = "order_shipped"
    ORDER_DELIVERED = "order_delivered"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_HIDDEN = "order_hidden"
    CHECKOUT_RETRIED = "checkout_retried"
    CHECKOUT_UNDONE = "checkout_undone"
    REFUND_REQUESTED = "refund_requested"
    MESSAGE_SENT = "message_sent"


#: What users are shown of themselves.
SIGN_INS = (Action.SIGNED_IN, Action.SIGN_IN_FAILED)

_WRITTEN = "audit_entries"


def record(
    session: Session,
    action: str,
    user_id: UUID | None,
    actor: Actor | None,
    origin: Origin,
    request_id: str | None,
    at: datetime.datetime,
    target: tuple[str, str] | tuple[None, None] = (None, None),
    **detail: Any,
) -> None:
    """Write one entry: `actor` did `action` to `user_id`, or to a `target` (kind and id) of that
    user's. An actor of None is somebody who is not known, such as one who guesses a password.
    `detail` is JSON-able and holds nothing personal."""
    kind, target_id = target
    entry = {
        "action": str(action),
        "target": kind,
        "target_id": target_id,
        "user_id": user_id,
        "actor_id": actor and actor.user_id,
        "actor_role": actor and str(actor.role),
        "network": origin.network,
        "client": origin.client,
        "request_id": request_id,
        "detail": detail,
    }
    session.execute(insert(AuditEntry).values(at=at, **entry))
    session.info.setdefault(_WRITTEN, []).append(entry)


def record_event(session: Session, event: Event) -> None:
    """Write what staff did in another service, as that one's `staff_acted` tells it."""
    acted = event.payload
    record(
        session,
        acted["action"],
        acted["user_id"],
        Actor(acted["actor_id"], acted["actor_role"]),
        Origin(network=abbreviated(acted["network"])),
        event.request_id,
        event.occurred_at,
        (acted["target"], acted["target_id"]),
        **acted["detail"],
    )


def written(session: Session) -> list[dict[str, Any]]:
    """What `record` wrote in this session, for the log: `action` and ids, no networks."""
    named = ("action", "user_id", "actor_id", "actor_role", "target", "target_id")
    return [{name: entry[name] for name in named} for entry in session.info.get(_WRITTEN, ())]


def page(
    connection: Connection,
    of: str,
    limit: int,
    cursor: str | None,
    *,
    user_id: UUID | None = None,
    actor_id: UUID | None = None,
    target: str | None = None,
    target_id: str | None = None,
    actions: Sequence[Action] = (),
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> tuple[Sequence[RowMapping], str | None]:
    """Up to `limit` entries after `cursor`, the newest first, and the cursor of the next page of
    the list named `of`; from `since` on, before `until`."""
    table = AuditEntry.__table__
    wanted = select(table)
    if user_id is not None:
        wanted = wanted.where(table.c.user_id == user_id)
    if actor_id is not None:
        wanted = wanted.where(table.c.actor_id == actor_id)
    if target is not None:
        wanted = wanted.where(table.c.target == target)
    if target_id is not None:
        wanted = wanted.where(table.c.target.is_not(None), table.c.target_id == target_id)
    if actions:
        wanted = wanted.where(table.c.action.in_([action.value for action in actions]))
    if since is not None:
        wanted = wanted.where(table.c.at >= since)
    if until is not None:
        wanted = wanted.where(table.c.at < until)
    return paging.Keyset(of, table.c.at, table.c.id).page(connection, wanted, limit, cursor)


def purge(
    session: Session, now: datetime.datetime, retention: datetime.timedelta, limit: int = 10_000
) -> None:
    """Delete what is older than `retention`, `limit` entries at most."""
    old = select(AuditEntry.id).where(AuditEntry.at < now - max(retention, LEAST_RETENTION))
    old = old.limit(limit).with_for_update(skip_locked=True)
    session.execute(delete(AuditEntry).where(AuditEntry.id.in_(old)))
