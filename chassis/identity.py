"""Who acts: the actor a call is made for.

The actor travels between services as `{"user_id": "<uuid>", "role": "<role>"}`; its absence
means that the system itself acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

CUSTOMER = "customer"
STAFF = "staff"
ADMIN = "admin"

#: The roles a person can have, from the least to the most trusted.
ROLES = (CUSTOMER, STAFF, ADMIN)

_SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person with one of `ROLES`, or the system itself (`Actor.SYSTEM`, without user id)."""

    user_id: UUID | None
    role: str

    SYSTEM: ClassVar[Actor]

    @property
    def is_staff(self) -> bool:
        """True for everybody who works for the house: staff, admins and the system."""
        return self.role != CUSTOMER

    @property
    def is_admin(self) -> bool:
        """True for admins and the system."""
        return self.role in (ADMIN, _SYSTEM)

    def to_wire(self) -> dict[str, str] | None:
        """The JSON form; None for the system."""
        if self.user_id is None:
            return None
        return {"user_id": str(self.user_id), "role": self.role}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any] | None) -> Actor:
        """The actor of a JSON form; None is the system. Raises ValueError on any other shape."""
        if wire is None:
            return cls.SYSTEM
        if not isinstance(wire, Mapping) or set(wire) != {"user_id", "role"}:
            raise ValueError("an actor has a user_id and a role, nothing else")
        if wire["role"] not in ROLES or not isinstance(wire["user_id"], str):
            raise ValueError("not an actor")
        return cls(UUID(wire["user_id"]), wire["role"])


Actor.SYSTEM = Actor(None, _SYSTEM)
