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

from chassis.addresses import as_kept, faults_in
from chassis.errors import Invalid, NotFound, PreconditionFailed
from contracts.users.errors import TooManyAddresses
from users.accounts import commands as account_commands
from users.models import Address, User

MAX_ADDRESSES = 50
#: What an address may leave out, and then has not.
_RECIPIENT = ("name", "company", "phone")


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


def default(connection: Connection, user_id: UUID) -> dict[str, Any]:
    """The user's default address, with the user's own name where it names no recipient; raises
    `NotFound`."""
    found = dict(_one(connection, Address.user_id == user_id, Address.is_default))
    if found["name"] is None and found["company"] is None:
        names = select(User.first_name, User.last_name).where(User.id == user_id)
        found["name"] = " ".join(filter(None, connection.execute(names).one())) or None
    return found


def add(
    session: Session,
    user_id: UUID,
    fields: Mapping[str, Any],
    is_default: bool | None,
    now: datetime.datetime,
) -> Address:
    """Add an address. The first one is the default unless that is refused expressly."""
    account_commands.lock(session, user_id)
    count = session.scalar(select(func.count()).where(Address.user_id == user_id))
    if count >= MAX_ADDRESSES:
        raise TooManyAddresses()
    if is_default is None:
        is_default = count == 0
    if is_default:
        _clear_default(session, user_id)
    address = Address(
        id=uuid4(),
        user_id=user_id,
        is_default=is_default,
        version=1,
        created_at=now,
        **(dict.fromkeys(_RECIPIENT) | dict(fields)),
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

    Raises `NotFound`, `PreconditionFailed` when it is not at `version` (if given) any more, and
    `Invalid` when what is other than it was is not of its country.
    """
    account_commands.lock(session, user_id)
    address = session.get(Address, address_id)
    if address is None or address.user_id != user_id:
        raise NotFound("There is no such address.")
    if version not in (None, address.version):
        raise PreconditionFailed(version=address.version)
    whole = dict.fromkeys(_RECIPIENT) | dict(fields)
    before = {name: getattr(address, name) for name in whole}
    if faults := faults_in(whole, before):
        raise Invalid(errors={name: [fault] for name, fault in faults.items()})
    if is_default:
        _clear_default(session, user_id)
    if is_default is not None:
        address.is_default = is_default
    for name, value in as_kept(whole).items():
        setattr(address, name, value)
    address.version += 1
    session.flush()
    return address


def remove(session: Session, user_id: UUID, address_id: UUID) -> None:
    """Delete one address; raises `NotFound`. When it was the default, the one that was added last
    takes its place."""
    account_commands.lock(session, user_id)
    mine = (Address.user_id == user_id, Address.id == address_id)
    was_default = session.scalar(delete(Address).where(*mine).returning(Address.is_default))
    if was_default is None:
        raise NotFound("There is no such address.")
    if was_default:
        latest = (
            select(Address.id)
            .where(Address.user_id == user_id)
            .order_by(Address.created_at.desc(), Address.id)
            .limit(1)
            .scalar_subquery()
        )
        session.execute(
            update(Address)
            .where(Address.id == latest)
            .values(is_default=True, version=Address.version + 1)
        )


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
