"""Keys under which a request may be sent again: one row for each, beside what it guards.

    with self.db.begin() as session:
        claim = idempotency.claim(session, models.RequestKey, owner, "refund", key, print_, now)
        if claim.is_new:
            ...  # make the thing with the id `claim.resource_id`

The row commits with the thing or not at all: a refusal leaves no key behind, and of two requests at
the same instant the second waits for the first and then finds what it made.
"""

import datetime
import hashlib
import uuid
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from sqlalchemy import UUID, Connection, DateTime, bindparam, delete, exists, select, text, tuple_
from sqlalchemy.orm import Session

from chassis.database import Begin
from chassis.errors import Invalid
from chassis.models import RequestKeyMixin

#: How long a key is known; the same key later is a new request.
KEPT = datetime.timedelta(hours=24)
#: Rows that one statement deletes.
BATCH = 1000

#: Owns the keys of requests that the system itself makes.
_SYSTEM = uuid.UUID(int=0)


# By hand, for each of a buyer's requests takes one: building it took longer than running it.
_CLAIM = (
    text(
        f"INSERT INTO {RequestKeyMixin.__tablename__} AS known"  # noqa: S608  (a name of ours)
        " (owner, operation, key, fingerprint, resource_id, created_at)"
        " VALUES (:owner, :operation, :key, :fingerprint, :resource_id, :now)"
        " ON CONFLICT (owner, operation, key) DO UPDATE"
        " SET fingerprint = excluded.fingerprint, resource_id = excluded.resource_id,"
        " created_at = excluded.created_at"
        " WHERE known.created_at <= :over"
        " RETURNING resource_id"
    )
    .bindparams(
        *(bindparam(name, type_=UUID) for name in ("owner", "resource_id")),
        *(bindparam(name, type_=DateTime(timezone=True)) for name in ("now", "over")),
    )
    .columns(resource_id=UUID)
)


class KeyReused(Invalid):
    """The same key came with another request."""

    code = "idempotency_key_reused"
    title = "This key was used for another request"


class Claim(NamedTuple):
    """What a key stands for; `is_new`: from now on, and it is to be made."""

    resource_id: uuid.UUID
    is_new: bool


def fingerprint(*positional: Any, **request: Any) -> str:
    """Tells one request from another; ids and dates count as their text, and decimals as what they
    come to: 9.9 is 9.90."""
    asked = positional or request
    canonical = orjson.dumps(asked, default=_as_text, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def _as_text(value: Any) -> str:
    if not isinstance(value, Decimal):
        return str(value)
    cents = round(value, 2)
    return f"{cents if cents == value else value.normalize():f}"


def claim(
    session: Session,
    model: type[RequestKeyMixin],
    owner: uuid.UUID | None,
    operation: str,
    key: str | None,
    fingerprint: str,
    now: datetime.datetime,
) -> Claim:
    """The resource that `owner` (None: the system) means by `key`; without one always a new id.

    Raises `KeyReused` when the key came with another request within the last day.
    """
    if key is None:
        return Claim(uuid.uuid4(), True)
    identity = {"owner": owner or _SYSTEM, "operation": operation, "key": key}
    new = {"fingerprint": fingerprint, "resource_id": uuid.uuid4(), "now": now, "over": now - KEPT}
    resource_id = session.scalar(_CLAIM, identity | new)
    if resource_id is not None:
        return Claim(resource_id, True)
    known = session.execute(
        select(model.fingerprint, model.resource_id).filter_by(**identity)
    ).one()
    if known.fingerprint != fingerprint:
        raise KeyReused(errors={"key": ["Used for another request."]})
    return Claim(known.resource_id, False)


def is_known(
    connection: Connection,
    model: type[RequestKeyMixin],
    owner: uuid.UUID | None,
    operation: str,
    key: str | None,
    fingerprint: str,
    now: datetime.datetime,
) -> bool:
    """Whether `claim` would find the key: what a new request needs need not be asked for then."""
    if key is None:
        return False
    found = exists().where(
        model.owner == (owner or _SYSTEM),
        model.operation == operation,
        model.key == key,
        model.fingerprint == fingerprint,
        model.created_at > now - KEPT,
    )
    return bool(connection.scalar(select(found)))


def purge(begin: Begin, model: type[RequestKeyMixin], now: datetime.datetime) -> None:
    """Delete the keys that are over, so many in each transaction that `begin` opens."""
    identity = (model.owner, model.operation, model.key)
    old = select(*identity).where(model.created_at <= now - KEPT).order_by(model.created_at)
    locked = old.limit(BATCH).with_for_update(skip_locked=True)
    deleted = BATCH
    while deleted == BATCH:
        with begin() as session:
            gone = delete(model).where(tuple_(*identity).in_(locked)).returning(model.key)
            deleted = len(session.scalars(gone).all())
