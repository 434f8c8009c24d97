"""Who acts: the actor a call is made for.

The actor travels between services as `{"user_id": "<uuid>", "role": "<role>"}`; its absence
means that the system itself acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID


class Role(StrEnum):
    """What a person may do, from the least to the most trusted."""

    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"


_SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a `Role`, or the system itself (`Actor.SYSTEM`, which has no user id)."""

    user_id: UUID | None
    role: str

    SYSTEM: ClassVar[Actor]

    def __post_init__(self) -> None:
        # Nobody without an id may pass for a person, nor a person for the system.
        if (self.user_id is None) != (self.role == _SYSTEM):
            raise ValueError("only the system acts without a user id")

    @property
    def is_staff(self) -> bool:
        """True for staff, admins and the system."""
        return self.role in (Role.STAFF, Role.ADMIN, _SYSTEM)

    @property
    def is_admin(self) -> bool:
        """True for admins and the system."""
        return self.role in (Role.ADMIN, _SYSTEM)

    def to_wire(self) -> dict[str, str] | None:
        """The JSON form; None for the system."""
        if self.user_id is None:
            return None
        return {"user_id": str(self.user_id), "role": str(self.role)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any] | None) -> Actor:
        """The actor of a JSON form; None is the system. Raises ValueError on any other shape."""
        if wire is None:
            return cls.SYSTEM
        try:
            return cls(UUID(wire["user_id"]), Role(wire["role"]))
        except (KeyError, TypeError, AttributeError):
            raise ValueError("not an actor") from None


Actor.SYSTEM = Actor(None, _SYSTEM)
