"""Rows of users, as all folders read and lock them. Deleted users are not found."""

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, func, literal, select
from sqlalchemy.orm import Session

from chassis.constraints import map_integrity_error
from chassis.errors import AlreadyExists, NotFound, PreconditionFailed
from chassis.identity import Actor, Role
from users.context import Context
from users.models import User

#: What its owner may change, and may leave empty.
OPTIONAL = ("username", "first_name", "last_name", "phone")

_TAKEN = {
    "uq_users_email": partial(AlreadyExists, field="email"),
    "uq_users_username": partial(AlreadyExists, field="username"),
}


def alive() -> Select[Any]:
    """The query for all users."""
    return select(User.__table__).where(User.deleted_at.is_(None))


def get(connection: Connection, user_id: UUID) -> RowMapping:
    """The user; raises `NotFound`."""
    found = connection.execute(alive().where(User.id == user_id)).mappings().first()
    if found is None:
        raise NotFound("There is no such user.")
    return found


def read(context: Context, user_id: UUID) -> RowMapping:
    """`get`, outside of any transaction."""
    with context.db.autocommit() as connection:
        return get(connection, user_id)


def by_name(
    connection: Connection, email: str | None = None, username: str | None = None
) -> RowMapping | None:
    """The user of this e-mail address or user name, in any case; exactly one is given."""
    column, name = (User.email, email) if email is not None else (User.username, username or "")
    query = alive().where(func.lower(column) == literal(name.lower()))
    return connection.execute(query).mappings().first()


def actor_of(user: RowMapping) -> Actor:
    """A user that was found as the one who acts."""
    return Actor(user["id"], Role(user["role"]))


def lock(session: Session, user_id: UUID, version: int | None = None) -> User:
    """The user, locked until the transaction ends; raises `NotFound`, and `PreconditionFailed`
    when the profile is not at `version` (if given) any more."""
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


def flush(session: Session) -> None:
    """Write what has changed; raises `AlreadyExists` when the e-mail address or the user name is
    somebody else's, whatever its case."""
    with map_integrity_error(_TAKEN):
        session.flush()
