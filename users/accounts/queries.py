"""Users by words about them, and how they are reached. Deleted ones are not found."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, any_, bindparam, case, select
from sqlalchemy import UUID as UuidType
from sqlalchemy.engine import Connection, RowMapping

from chassis import paging
from chassis.errors import Invalid
from chassis.identity import Actor
from chassis.staff import require_staff
from users import store as user_store
from users.accounts.search import indexed, matches, words
from users.models import User

#: How many of the newest users are looked at one by one before an index is used.
NEAR = 2000

_USERS = User.__table__
_CONTACTS = select(
    User.id,
    case((User.email_verified, User.email)).label("email"),
    User.email_verified,
    User.phone,
).where(User.id == any_(bindparam("ids", type_=ARRAY(UuidType))), User.deleted_at.is_(None))

_NEWEST = paging.Keyset("users", User.created_at, User.id)


def contacts(connection: Connection, user_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """`id`, `email`, `email_verified` and `phone` of these users; who is not there is left out.
    An address that is not confirmed is told to nobody: it may be a stranger's."""
    return connection.execute(_CONTACTS, {"ids": list(user_ids)}).mappings().all()


def page(
    connection: Connection,
    search: str | None,
    role: str | None,
    limit: int,
    cursor: str | None,
    actor: Actor,
) -> tuple[Sequence[RowMapping], str | None]:
    """Up to `limit` users after `cursor`, the newest first, and the cursor of the next page: all of
    them for admins; staff say whom they look for."""
    require_staff(actor)
    if not actor.is_admin and search is None:
        raise Invalid(errors={"search": ["Say whom you look for."]})
    return _NEWEST.cut(find(connection, search, role, limit + 1, cursor), limit)


def find(
    connection: Connection,
    search: str | None,
    role: str | None,
    limit: int,
    cursor: str | None = None,
) -> Sequence[RowMapping]:
    """Up to `limit` users after `cursor`, the newest first; each word of `search` is a part of what
    is told of them (`users.accounts.search`)."""
    query = user_store.alive().order_by(User.created_at.desc(), User.id.desc())
    query = query.where(*_NEWEST.after(cursor))
    if role is not None:
        query = query.where(User.role == role)
    if search is None:
        return connection.execute(query.limit(limit)).mappings().all()
    wanted = words(connection, search)
    # A word that many have ("example.com") is met among the newest; only a rarer one needs the
    # index, from which all whom it finds would have to be put in order.
    newest = query.limit(NEAR).subquery().c
    near = select(*newest).where(matches(wanted, newest)).limit(limit)
    near = near.order_by(newest.created_at.desc(), newest.id.desc())
    rows = connection.execute(near).mappings().all()
    if len(rows) < limit:
        all_of_them = query.where(indexed(wanted), matches(wanted, _USERS.c)).limit(limit)
        rows = connection.execute(all_of_them).mappings().all()
    return rows
