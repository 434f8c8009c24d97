"""Rows of address books, as several commands change them. The user's lock comes first."""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from contracts.users.errors import TooManyAddresses
from users.models import Address

MAX_ADDRESSES = 50
#: Who receives what is sent there; an address may name nobody.
RECIPIENT = ("name", "company", "phone")


def add(
    session: Session,
    user_id: UUID,
    address: Mapping[str, Any],
    is_default: bool | None,
    now: datetime.datetime,
) -> Address:
    """Add an address. The first one is the default unless that is refused expressly. Raises
    `TooManyAddresses`."""
    count = session.scalars(select(func.count()).where(Address.user_id == user_id)).one()
    if count >= MAX_ADDRESSES:
        raise TooManyAddresses()
    if is_default is None:
        is_default = count == 0
    if is_default:
        clear_default(session, user_id)
    added = Address(
        id=uuid4(),
        user_id=user_id,
        is_default=is_default,
        version=1,
        created_at=now,
        **(dict.fromkeys(RECIPIENT) | dict(address)),
    )
    session.add(added)
    session.flush()
    return added


def clear_default(session: Session, user_id: UUID) -> None:
    """Have no default address."""
    session.execute(
        update(Address)
        .where(Address.user_id == user_id, Address.is_default)
        .values(is_default=False, version=Address.version + 1)
    )
