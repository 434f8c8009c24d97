"""Zones and methods, as admins read them."""

import uuid

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from chassis import paging
from chassis.messages import Json
from contracts.orders.errors import ShippingMethodNotFound, ShippingZoneNotFound
from orders.models import ShippingMethod, ShippingZone, ZoneMember

_MEMBER = func.jsonb_build_object(
    *("country", ZoneMember.country),
    *("region", ZoneMember.region),
    *("postal_from", ZoneMember.postal_from),
    *("postal_to", ZoneMember.postal_to),
)
_MEMBERS = (
    select(func.jsonb_agg(aggregate_order_by(_MEMBER, ZoneMember.position)))
    .where(ZoneMember.zone_id == ShippingZone.id)
    .scalar_subquery()
)
_ZONES = select(*ShippingZone.__table__.c, _MEMBERS.label("members"))
_METHODS = select(ShippingMethod.__table__)

_BY_NAME = paging.Keyset("shipping_zones", ShippingZone.name, ascending=True)
_BY_CODE = paging.Keyset("shipping_methods", ShippingMethod.code, ShippingMethod.id, ascending=True)


def zone(connection: Connection | Session, zone_id: uuid.UUID) -> Json:
    """One zone with its members; raises `ShippingZoneNotFound`."""
    row = connection.execute(_ZONES.where(ShippingZone.id == zone_id)).mappings().first()
    if row is None:
        raise ShippingZoneNotFound
    return dict(row)


def zones(connection: Connection, limit: int, cursor: str | None) -> Json:
    """A page of the zones, by name."""
    items, following = _BY_NAME.page(connection, _ZONES, limit, cursor)
    return {"items": items, "next": following}


def method(connection: Connection | Session, method_id: uuid.UUID) -> Json:
    """One method; raises `ShippingMethodNotFound`."""
    row = connection.execute(_METHODS.where(ShippingMethod.id == method_id)).mappings().first()
    if row is None:
        raise ShippingMethodNotFound
    return dict(row)


def methods(
    connection: Connection, zone_id: uuid.UUID | None, limit: int, cursor: str | None
) -> Json:
    """A page of the methods, of one zone if it is given, by code."""
    query = _METHODS if zone_id is None else _METHODS.where(ShippingMethod.zone_id == zone_id)
    items, following = _BY_CODE.page(connection, query, limit, cursor)
    return {"items": items, "next": following}
