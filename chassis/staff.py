"""What staff do, as events that `users` writes into the audit trail.

A service that has `events` with `EVENTS` and `network = Network()` calls `tell` in the transaction
of the change. What customers and the system do is not published, so it costs nothing.
"""

from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from marshmallow import ValidationError, fields, validate
from sqlalchemy.orm import Session

from chassis.errors import Forbidden
from chassis.fields import Dict, EventPayload, String, Uuid
from chassis.identity import Actor, Role


class Fact(fields.Field[Any]):
    """A part of what an action's `detail` tells: a number, true or false, a short text, or up to
    100 of them."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        parts = value if isinstance(value, list) else [value]
        if len(parts) > 100 or not all(map(_is_fact, parts)):
            raise ValidationError("Not a fact.")
        return value


def _is_fact(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 200
    return isinstance(value, int) and abs(value) < 2**63


class StaffActed(EventPayload):
    """staff_acted: somebody of the staff did `action` to the `target` with `target_id`, which is
    `user_id`'s (None: nobody's). `detail` has codes, numbers and amounts; nothing here holds words
    that somebody has typed."""

    action = String(max=40, required=True)
    actor_id = Uuid(required=True)
    actor_role = String(
        max=16, required=True, validate=validate.OneOf([Role.STAFF.value, Role.ADMIN.value])
    )
    target = String(max=24, required=True)
    target_id = String(max=64, required=True)
    user_id = Uuid(load_default=None, allow_none=True)
    network = String(max=64, load_default=None, allow_none=True)
    detail = Dict(keys=String(max=40), values=Fact(allow_none=True), max=20, load_default=dict)


EVENTS = {"staff_acted": StaffActed}


class Outbox(Protocol):
    """See `chassis.events.outbox.Recorder`."""

    def record(self, session: Session, event_type: str, payload: dict[str, Any]) -> Any: ...


class Teller(Protocol):
    """A service, as far as it is needed here."""

    @property
    def events(self) -> Outbox: ...

    @property
    def network(self) -> str | None: ...


def tell(
    service: Teller,
    session: Session,
    actor: Actor,
    action: StrEnum,
    target: StrEnum,
    target_id: Any,
    user_id: UUID | None = None,
    **detail: Any,
) -> None:
    """Record that `actor` did it, if that is a person of the staff. `action` and `target` are words
    of the audit trail's contract."""
    if actor.user_id is None or not actor.is_staff:
        return
    acted = {
        "action": action,
        "actor_id": actor.user_id,
        "actor_role": str(actor.role),
        "target": target,
        "target_id": str(target_id),
        "user_id": user_id,
        "network": service.network,
        "detail": detail,
    }
    service.events.record(session, "staff_acted", acted)


def require_staff(actor: Actor) -> None:
    """Raise `Forbidden` for anybody else than staff and admins."""
    if not actor.is_staff:
        raise Forbidden()


def require_admin(actor: Actor) -> None:
    """Raise `Forbidden` for anybody else than admins."""
    if not actor.is_admin:
        raise Forbidden()
