"""What the commands of users need around them."""

from collections.abc import Mapping
from typing import Any, Protocol

from chassis import context
from chassis.events.broadcast import Broadcast


class PasswordHasher(Protocol):
    """See `users.passwords.hashing.Handle`."""

    def hash(self, password: str) -> str: ...

    def verify(self, password_hash: str | None, password: str) -> bool: ...

    def is_outdated(self, password_hash: str) -> bool: ...


class Context(context.Context, Protocol):
    """The service `users`, as its commands see it. `identity` has the issuer and audience of access
    tokens."""

    broadcast: Broadcast
    passwords: PasswordHasher
    identity: Mapping[str, Any]
