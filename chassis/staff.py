"""What staff do, as events that `users` writes into the audit trail.

A service that has `events` with `EVENTS` and `network = Network()` calls `tell` in the transaction
of the change. What customers and the system do is not told: their ways cost nothing.
"""

from typing import Any, Protocol
from uuid import UUID

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from chassis.fields import Uuid
from chassis.identity import Actor, Role


class StaffActed(Schema):
    """staff_acted: somebody of the staff did `action` to the `target` with `target_id`, which is
    `user_id`'s (None: nobody's). `detail` has codes, numbers and amounts; nothing here holds words
    that somebody has typed."""

    action = fields.String()
    actor_id = Uuid()
    actor_role = fields.String(validate=validate.OneOf([Role.STAFF.value, Role.ADMIN.value]))
    target = fields.String()
    target_id = fields.String()
    user_id = Uuid(allow_none=True)
    network = fields.String(allow_none=True)
    detail = fields.Dict()


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
    action: str,
    target: str,
    target_id: Any,
    user_id: UUID | None = None,
    **detail: Any,
) -> None:
    """Record that `actor` did it, if that is a person of the staff."""
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
