"""Where a buyer's goods go when neither cart nor order says it."""

import uuid
from typing import Any

from chassis.errors import NotFound
from contracts.users.answers import DefaultAddress
from contracts.users.interface import Users

_ADDRESS = DefaultAddress(exclude=("id", "default", "version"))


def default(users: Users, user_id: uuid.UUID) -> dict[str, Any] | None:
    """The buyer's default address; None when they have saved none."""
    try:
        return _ADDRESS.load(users.default_address(user_id=user_id))
    except NotFound:
        return None
