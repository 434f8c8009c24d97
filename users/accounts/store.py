"""Rows of users, as several commands change them."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.errors import NotFound, PreconditionFailed
from chassis.identity import Role
from contracts.users.errors import LastAdmin
from users.accounts import verification
from users.models import Address, KnownNetwork, User
from users.passwords import resets
from users.second_factor import store as second_factor_store

#: What its owner may change, and may leave empty.
OPTIONAL = ("username", "first_name", "last_name", "phone")


def lock(session: Session, user_id: UUID, version: int | None = None) -> User:
    """The user, locked until the transaction ends; raises `NotFound`, also for a deleted one, and
    `PreconditionFailed` when the profile is not at `version` (if given) any more."""
    user = session.scalar(
        select(User)
        .where(User.id == user_id, User.deleted_at.is_(None))
        .with_for_update(key_share=True)
    )
    if user is None:
        raise NotFound("There is no such user.")
    if version not in (None, user.version):
        raise PreconditionFailed(version=user.version)
    return user


def keep_an_admin(session: Session, user_id: UUID) -> None:
    """Raise `LastAdmin` if `user_id` is the only admin. The admins stay locked, so that two of
    them cannot demote each other at once."""
    admins = session.scalars(
        select(User.id)
        .where(User.role == Role.ADMIN, User.deleted_at.is_(None))
        .order_by(User.id)
        .with_for_update()
    ).all()
    if admins == [user_id]:
        raise LastAdmin()


def forget_person(session: Session, user: User) -> None:
    """Delete what is personal about a user, and every way in but the password and the sessions.
    The user's lock comes first: a login at the same instant is over, or finds nobody."""
    for name in (*OPTIONAL, "pending_email"):
        setattr(user, name, None)
    end_mailed_tokens(session, user)
    session.execute(delete(Address).where(Address.user_id == user.id))
    session.execute(delete(KnownNetwork).where(KnownNetwork.user_id == user.id))
    verification.forget_changes(session, user.id)
    second_factor_store.forget(session, user.id)


def end_mailed_tokens(session: Session, user: User) -> None:
    """End the tokens in the mails of a user, and a change of the address that waits for one. The
    user's lock comes first."""
    session.flush()
    resets.forget(session, user.id)
    verification.forget(session, user)
