"""The places where stock lies, and in which order they are preferred."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.errors import Invalid
from products.models import Location

_PREFERRED = Location.priority, Location.code


def preferred(session: Session) -> str:
    """Where stock is that is said to be nowhere: the first location; an active one, if any is."""
    query = select(Location.code).order_by(Location.active.desc(), *_PREFERRED).limit(1)
    return session.scalars(query).one()


def ranked(session: Session, country: str | None) -> list[str]:
    """The active locations: those in the country (ISO 3166) first, then by priority."""
    is_near = func.coalesce(Location.country == country, False)
    query = select(Location.code).where(Location.active).order_by(is_near.desc(), *_PREFERRED)
    return list(session.scalars(query))


def check(session: Session, code: str, field: str = "location") -> None:
    """Raise `Invalid` unless there is such a location."""
    if session.get(Location, code) is None:
        raise Invalid(errors={field: ["There is no such location."]})
