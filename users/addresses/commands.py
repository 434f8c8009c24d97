"""A user's address book, with at most one default.

Every change locks the user's row first: so two changes of the default cannot cross, and the book
cannot outgrow its bound.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from chassis.addresses import as_kept, faults_in
from chassis.errors import Invalid, NotFound, PreconditionFailed
from users import store as user_store
from users.addresses import store
from users.context import Context
from users.models import Address


def add(context: Context, user_id: UUID, default: bool | None = None, **address: Any) -> Address:
    """Add an address. The first one is the default unless that is refused expressly. Raises
    `TooManyAddresses`."""
    with context.db.begin() as session:
        user_store.lock(session, user_id)
        return store.add(session, user_id, address, default, context.clock())


def replace(
    context: Context,
    user_id: UUID,
    address_id: UUID,
    version: int | None,
    default: bool | None = None,
    **address: Any,
) -> Address:
    """Write the whole address anew; whether it is the default stays when that is None.

    Raises `NotFound`, `PreconditionFailed` when it is not at `version` (if given) any more, and
    `Invalid` when what is other than it was is not of its country.
    """
    with context.db.begin() as session:
        user_store.lock(session, user_id)
        kept = session.get(Address, address_id)
        if kept is None or kept.user_id != user_id:
            raise NotFound("There is no such address.")
        if version not in (None, kept.version):
            raise PreconditionFailed(version=kept.version)
        whole = dict.fromkeys(store.RECIPIENT) | address
        before = {name: getattr(kept, name) for name in whole}
        if faults := faults_in(whole, before):
            raise Invalid(errors={name: [fault] for name, fault in faults.items()})
        if default:
            store.clear_default(session, user_id)
        if default is not None:
            kept.is_default = default
        for name, value in as_kept(whole).items():
            setattr(kept, name, value)
        kept.version += 1
        session.flush()
        return kept


def remove(context: Context, user_id: UUID, address_id: UUID) -> None:
    """Delete one address; raises `NotFound`. When it was the default, the one that was added last
    takes its place."""
    with context.db.begin() as session:
        user_store.lock(session, user_id)
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
