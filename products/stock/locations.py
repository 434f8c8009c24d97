"""The places where stock lies, and in which order they are preferred."""

from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from chassis import idempotency, staff
from chassis.errors import Invalid, PreconditionFailed
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin
from contracts.inventory.errors import LocationExists, LocationNotFound, TooManyLocations
from contracts.inventory.fields import MAX_LOCATIONS
from contracts.users.enums import Action, Target
from products import cache_invalidation
from products.context import Context
from products.models import Location, RequestKey, Stock

_COLUMNS = (
    Location.code,
    Location.name,
    Location.country,
    Location.priority,
    Location.active,
    Location.version,
)
_PREFERRED = Location.priority, Location.code
#: Of two locations that are made at once, the second counts the first.
_LOCK = func.pg_advisory_xact_lock(7_206_152)


def find(connection: Connection) -> Json:
    """All locations, the preferred ones first."""
    rows = connection.execute(select(*_COLUMNS).order_by(*_PREFERRED)).mappings()
    return {"items": [dict(row) for row in rows]}


def get(connection: Connection | Session, code: str) -> Json:
    """One location. Raises `LocationNotFound`."""
    query = select(*_COLUMNS).where(Location.code == code)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise LocationNotFound()
    return dict(row)


def create(context: Context, actor: Actor, code: str, key: str | None, **fields: Any) -> Json:
    """A new location. Raises `Forbidden`, `LocationExists`, `TooManyLocations`, `KeyReused`."""
    require_admin(actor)
    asked = idempotency.fingerprint(code=code, **fields)
    known = actor.user_id, "location", key, asked, context.clock()
    with context.db.begin() as session:
        claim = idempotency.claim(session, RequestKey, *known)
        if claim.is_new:
            session.execute(select(_LOCK))
            if session.get(Location, code) is not None:
                raise LocationExists()
            if (session.scalar(select(func.count()).select_from(Location)) or 0) >= MAX_LOCATIONS:
                raise TooManyLocations()
            session.add(Location(code=code, version=1, **fields))
            staff.tell(context, session, actor, Action.LOCATION_CREATED, Target.LOCATION, code)
            session.flush()
        return get(session, code) | {"replayed": not claim.is_new}


def update(context: Context, actor: Actor, code: str, version: int | None, **fields: Any) -> Json:
    """The location with `fields` replaced. One that is no longer active ships what it has promised;
    what else lies there is not for sale.

    Raises `Forbidden`, `LocationNotFound`, `PreconditionFailed` when it is not at `version` (if
    given) any more.
    """
    require_admin(actor)
    with cache_invalidation.publishing(context, "stock_changed") as session:
        location = session.get(Location, code, with_for_update=True)
        if location is None:
            raise LocationNotFound()
        if version not in (None, location.version):
            raise PreconditionFailed(version=location.version)
        changed = sorted(name for name in fields if getattr(location, name) != fields[name])
        if changed:
            for name in changed:
                setattr(location, name, fields[name])
            location.version += 1
            about = Target.LOCATION, code
            staff.tell(context, session, actor, Action.LOCATION_CHANGED, *about, fields=changed)
        if "active" in changed:
            cache_invalidation.mark_all_changed(session)
        session.flush()
        return get(session, code)


def preferred(session: Session) -> str:
    """Where stock is that is said to be nowhere: the first location; an active one, if any is."""
    query = select(Location.code).order_by(Location.active.desc(), *_PREFERRED).limit(1)
    return session.scalars(query).one()


def usual(session: Session, variant_id: int) -> str:
    """Where a variant is that is said to be nowhere: at the preferred one of the locations that
    have any of it, or of all if none has."""
    query = select(Location.code).join(Stock, Stock.location == Location.code)
    query = query.where(Stock.variant_id == variant_id, Stock.on_hand > 0)
    query = query.order_by(Location.active.desc(), *_PREFERRED).limit(1)
    return session.scalar(query) or preferred(session)


def ranked(session: Session, country: str | None) -> list[str]:
    """The active locations: those in the country (ISO 3166), if one is given, first, then by
    priority."""
    query = select(Location.code).where(Location.active)
    if country is not None:
        query = query.order_by(func.coalesce(Location.country == country, False).desc())
    return list(session.scalars(query.order_by(*_PREFERRED)))


def check(session: Session, code: str, field: str = "location") -> None:
    """Raise `Invalid` unless there is such a location."""
    if session.get(Location, code) is None:
        raise Invalid(errors={field: ["There is no such location."]})
