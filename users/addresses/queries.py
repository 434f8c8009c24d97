"""Reading address books."""

from uuid import UUID

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.sql import ColumnExpressionArgument

from chassis.errors import NotFound
from chassis.messages import Json
from users.models import Address, User


def of_user(connection: Connection, user_id: UUID) -> list[RowMapping]:
    """All addresses of a user, the default first, then the newest."""
    order = (Address.is_default.desc(), Address.created_at.desc(), Address.id)
    rows = connection.execute(
        select(Address.__table__).where(Address.user_id == user_id).order_by(*order)
    )
    return list(rows.mappings())


def get(connection: Connection, user_id: UUID, address_id: UUID) -> RowMapping:
    """One address of a user; raises `NotFound`."""
    return _one(connection, Address.user_id == user_id, Address.id == address_id)


def default(connection: Connection, user_id: UUID) -> Json:
    """The user's default address, with the user's own name where it names no recipient; raises
    `NotFound`."""
    found = dict(_one(connection, Address.user_id == user_id, Address.is_default))
    if found["name"] is None and found["company"] is None:
        names = select(User.first_name, User.last_name).where(User.id == user_id)
        found["name"] = " ".join(filter(None, connection.execute(names).one())) or None
    return found


def _one(connection: Connection, *where: ColumnExpressionArgument[bool]) -> RowMapping:
    row = connection.execute(select(Address.__table__).where(*where)).mappings().first()
    if row is None:
        raise NotFound("There is no such address.")
    return row
