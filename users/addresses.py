"""A user's address book, with at most one default.

Every change locks the user's row first: so two changes of the default cannot cross, and the book
cannot outgrow its bound.
"""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from chassis.errors import NotFound, PreconditionFailed
from users import accounts
from users.errors import TooManyAddresses
from users.models import Address

MAX_ADDRESSES = 50


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


def default(connection: Connection, user_id: UUID) -> RowMapping:
    """The user's default address; raises `NotFound`."""
    return _one(connection, Address.user_id == user_id, Address.is_default)


def add(
    session: Session,
    user_id: UUID,
    fields: Mapping[str, Any],
    is_default: bool | None,
    now: datetime.datetime,
) -> Address:
    """Add an address. The first one is the default unless that is refused expressly."""
    accounts.lock(session, user_id)
    count = session.scalar(select(func.count()).where(Address.user_id == user_id))
    if count >= MAX_ADDRESSES:
        raise TooManyAddresses()
    if is_default is None:
        is_default = count == 0
    if is_default:
        _clear_default(session, user_id)
    address = Address(
        id=uuid4(), user_id=user_id, is_default=is_default, version=1, created_at=now, **fields
    )
    session.add(address)
    session.flush()
    return address


def replace(
    session: Session,
    user_id: UUID,
    address_id: UUID,
    fields: Mapping[str, Any],
    is_default: bool | None,
    version: int | None,
) -> Address:
    """Write the whole address anew; whether it is the default stays when that is None.

    Raises `NotFound`, and `PreconditionFailed` when it is not at `version` (if given) any more.
    """
    accounts.lock(session, user_id)
    address = session.get(Address, address_id)
    if address is None or address.user_id != user_id:
        raise NotFound("There is no such address.")
    if version not in (None, address.version):
        raise PreconditionFailed(version=address.version)
    if is_default:
        _clear_default(session, user_id)
    if is_default is not None:
        address.is_default = is_default
    for name, value in fields.items():
        setattr(address, name, value)
    address.version += 1
    session.flush()
    return address


def remove(session: Session, user_id: UUID, address_id: UUID) -> None:
    """Delete one address; raises `NotFound`."""
    mine = (Address.user_id == user_id, Address.id == address_id)
    if not session.execute(delete(Address).where(*mine)).rowcount:
        raise NotFound("There is no such address.")


def _one(connection: Connection, *where: Any) -> RowMapping:
    row = connection.execute(select(Address.__table__).where(*where)).mappings().first()
    if row is None:
        raise NotFound("There is no such address.")
    return row


def _clear_default(session: Session, user_id: UUID) -> None:
    session.execute(
        update(Address)
        .where(Address.user_id == user_id, Address.is_default)
        .values(is_default=False, version=Address.version + 1)
    )
