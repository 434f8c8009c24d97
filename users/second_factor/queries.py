"""Whether somebody has a second factor, and must."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from chassis.identity import Role
from chassis.messages import Json
from users import store as user_store
from users.second_factor import store


def state(connection: Connection, user_id: UUID, settings: Mapping[str, Any]) -> Json:
    """`enabled`, `required` and `recovery_codes_left`; raises `NotFound`."""
    role = user_store.get(connection, user_id)["role"]
    return {**store.state(connection, user_id), "required": is_required(role, settings)}


def is_required(role: str, settings: Mapping[str, Any]) -> bool:
    """Whether a password alone is not enough for somebody with this role."""
    return settings["staff_totp_required"] and role != Role.CUSTOMER
