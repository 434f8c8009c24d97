"""The rows of zones and methods, as several commands change them; and what a checkout reads of
them."""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from chassis.constraints import map_integrity_error
from chassis.errors import AlreadyExists, Fault, NotFound, PreconditionFailed
from contracts.orders.errors import (
    ShippingMethodNotFound,
    ShippingZoneNotFound,
    TooManyShippingMethods,
    TooManyShippingZones,
    TooManyZoneMembers,
    ZonesOverlap,
)
from contracts.orders.shipping import MAX_MEMBERS, MAX_METHODS, MAX_ZONES
from orders.models import ShippingMethod, ShippingZone, ZoneMember
from orders.shipping.rules import Member, overlaps


def offer(country: str) -> str:
    """SQL that makes one JSON document of what the shop has set up for a country, for statements
    that need it beside other things; `rules.Offer.from_json` reads it. The argument is SQL."""
    return f"""
    jsonb_build_object(
        'currencies', (SELECT jsonb_agg(DISTINCT currency) FROM shipping_methods WHERE active),
        'members', (
            SELECT jsonb_agg(
                jsonb_build_array(zone_id, member.country, region, postal_from, postal_to)
            )
            FROM zone_members AS member WHERE member.country = {country}
        ),
        'methods', (
            SELECT jsonb_agg(
                to_jsonb(m) - '{{id,active,version}}'::text[]
                || jsonb_build_object('price', price::text, 'free_from', free_from::text)
            )
            FROM shipping_methods AS m
            WHERE active AND zone_id IN (
                SELECT zone_id FROM zone_members AS member WHERE member.country = {country}
            )
        )
    )
    """  # noqa: S608  (SQL of ours)


_MEMBER = (
    ZoneMember.country,
    ZoneMember.region,
    ZoneMember.postal_from,
    ZoneMember.postal_to,
)

#: Whoever else makes a zone, or changes members, waits.
_ONE_AT_A_TIME = text("LOCK TABLE zone_members IN SHARE ROW EXCLUSIVE MODE")

_BROKEN: dict[str, Callable[[], Fault]] = {
    "uq_shipping_zones_name": lambda: AlreadyExists("This name is taken", field="name"),
    "uq_zone_members_country": ZonesOverlap,
    "uq_zone_members_country_region": ZonesOverlap,
    "ex_zone_members_postal_codes": ZonesOverlap,
    "uq_shipping_methods_zone_id_currency_code": lambda: AlreadyExists(
        "The zone has a method of this code and currency", field="code"
    ),
}


def lock_zone(session: Session, zone_id: uuid.UUID, version: int | None = None) -> None:
    """Raises `ShippingZoneNotFound`, `PreconditionFailed` when the zone is not at `version` (if
    given) any more."""
    query = select(ShippingZone.version).where(ShippingZone.id == zone_id).with_for_update()
    _check_version(session.scalar(query), version, ShippingZoneNotFound)


def add_zone(session: Session, zone_id: uuid.UUID, name: str, members: Sequence[Member]) -> None:
    """A new zone. Raises `AlreadyExists` (name), `TooManyShippingZones`, and what `set_members`
    raises."""
    session.execute(_ONE_AT_A_TIME)
    if session.scalars(select(func.count()).select_from(ShippingZone)).one() >= MAX_ZONES:
        raise TooManyShippingZones(limit=MAX_ZONES)
    with map_integrity_error(_BROKEN):
        session.execute(insert(ShippingZone).values(id=zone_id, name=name, version=1))
    set_members(session, zone_id, members)


def change_zone(session: Session, zone_id: uuid.UUID, **values: Any) -> None:
    """Another name (raises `AlreadyExists`); the version goes up, whatever else is changed."""
    row = update(ShippingZone).where(ShippingZone.id == zone_id)
    with map_integrity_error(_BROKEN):
        session.execute(row.values(**values, version=ShippingZone.version + 1))


def remove_zone(session: Session, zone_id: uuid.UUID) -> None:
    """Delete the zone with its members and methods."""
    session.execute(delete(ShippingZone).where(ShippingZone.id == zone_id))


def set_members(session: Session, zone_id: uuid.UUID, members: Sequence[Member]) -> None:
    """Give the zone these members in place of those that it has.

    They do not overlap among themselves. Raises `ZonesOverlap` when one does with another zone's,
    `TooManyZoneMembers`. Whoever else changes members waits, so that nothing comes in between.
    """
    session.execute(_ONE_AT_A_TIME)
    session.execute(delete(ZoneMember).where(ZoneMember.zone_id == zone_id))
    countries = {member.country for member in members}
    query = select(ZoneMember.zone_id, *_MEMBER).where(ZoneMember.country.in_(countries))
    others = [Member(*row) for row in session.execute(query)]
    _check_beside(others, members)
    rows = [
        {"zone_id": zone_id, "position": position}
        | {column.key: getattr(member, column.key) for column in _MEMBER}
        for position, member in enumerate(members)
    ]
    with map_integrity_error(_BROKEN):
        session.execute(insert(ZoneMember), rows)


def _check_beside(others: Sequence[Member], members: Sequence[Member]) -> None:
    clashing = [other for other in others if any(overlaps(other, one) for one in members)]
    if clashing:
        raise ZonesOverlap(members=[asdict(member) for member in clashing])
    (_, most), *_ = Counter(member.country for member in [*members, *others]).most_common(1)
    if most > MAX_MEMBERS:
        raise TooManyZoneMembers(limit=MAX_MEMBERS)


def lock_method(session: Session, method_id: uuid.UUID, version: int | None) -> dict[str, Any]:
    """The method; raises `ShippingMethodNotFound`, `PreconditionFailed` when it is not at `version`
    (if given) any more."""
    query = select(ShippingMethod.__table__).where(ShippingMethod.id == method_id).with_for_update()
    found = session.execute(query).mappings().first()
    _check_version(found["version"] if found else None, version, ShippingMethodNotFound)
    return dict(found or {})


def add_method(
    session: Session, method_id: uuid.UUID, zone_id: uuid.UUID, fields: Mapping[str, Any]
) -> None:
    """A new method of a zone, which is locked. Raises `AlreadyExists` (code),
    `TooManyShippingMethods`."""
    of_zone = select(func.count()).where(ShippingMethod.zone_id == zone_id)
    if session.scalars(of_zone).one() >= MAX_METHODS:
        raise TooManyShippingMethods(limit=MAX_METHODS)
    row = insert(ShippingMethod).values(id=method_id, zone_id=zone_id, version=1, **fields)
    with map_integrity_error(_BROKEN):
        session.execute(row)


def change_method(session: Session, method_id: uuid.UUID, fields: Mapping[str, Any]) -> None:
    """Replace `fields` of the method. Raises `AlreadyExists` (code)."""
    row = update(ShippingMethod).where(ShippingMethod.id == method_id)
    with map_integrity_error(_BROKEN):
        session.execute(row.values(**fields, version=ShippingMethod.version + 1))


def _check_version(found: int | None, version: int | None, missing: type[NotFound]) -> None:
    if found is None:
        raise missing
    if version not in (None, found):
        raise PreconditionFailed(version=found)
