"""How much there is, and how that came about."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis import paging
from chassis.messages import Json
from contracts.inventory.errors import ReservationNotFound
from contracts.products.errors import VariantNotFound
from products.models import Location, Movement, Reservation, ReservationLine, Stock, Variant
from products.stock import reservations
from products.stock.availability import AVAILABLE, FREE

_LEVELS = (
    select(
        Stock.variant_id,
        Variant.product_id,
        Stock.location,
        Location.active,
        Stock.on_hand,
        (Stock.on_hand - FREE).label("reserved"),
        AVAILABLE.label("available"),
        Stock.version,
    )
    .join(Variant, Variant.id == Stock.variant_id)
    .join(Location, Location.code == Stock.location)
    .where(Stock.variant_id == bindparam("id"))
    .order_by(Location.priority, Location.code)
)

_MOVEMENT: tuple[InstrumentedAttribute[Any], ...] = (
    Movement.id,
    Movement.variant_id,
    Movement.location,
    Movement.kind,
    Movement.delta_on_hand,
    Movement.delta_reserved,
    Movement.order_id,
    Movement.cause_id,
    Movement.reason,
    Movement.actor,
    Movement.at,
)

_FOR_SALE = (
    select(Stock.variant_id, func.sum(AVAILABLE).label("available"))
    .join(Variant, Variant.id == Stock.variant_id)
    .where(
        Stock.variant_id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
        Variant.deleted_at.is_(None),
    )
    .group_by(Stock.variant_id)
)

_NEWEST = paging.Keyset("movements", Movement.id)


def get(connection: Connection | Session, variant_id: int, now: datetime.datetime) -> Json:
    """The counters of all locations together, and of each in their order; `reserved` leaves out
    what has expired. Raises `VariantNotFound`."""
    rows = connection.execute(_LEVELS, {"id": variant_id, "now": now}).mappings().all()
    if not rows:
        raise VariantNotFound()
    whole = {name: rows[0][name] for name in ("variant_id", "product_id")}
    for name in ("on_hand", "reserved", "available", "version"):
        whole[name] = sum(row[name] for row in rows)
    return whole | {"locations": [dict(row) for row in rows]}


def allocation(connection: Connection | Session, order_id: UUID) -> Json:
    """Where an order is shipped from. Raises `ReservationNotFound`."""
    state = connection.scalar(select(Reservation.state).where(Reservation.order_id == order_id))
    if state is None:
        raise ReservationNotFound()
    of = ReservationLine
    columns = (of.variant_id, of.location, of.quantity, of.shipped, of.cancelled)
    query = select(*columns, (of.quantity - of.shipped - of.cancelled).label("open"))
    rows = connection.execute(
        query.where(of.order_id == order_id).order_by(of.variant_id, of.location)
    )
    return {"order_id": order_id, "state": state, "items": [dict(row) for row in rows.mappings()]}


def check(
    connection: Connection, lines: Sequence[Mapping[str, int]], now: datetime.datetime
) -> list[dict[str, Any]]:
    """Each of `lines` with `available`: whether all lines of its product could be had now."""
    requested = reservations.merge(lines)
    rows = connection.execute(_FOR_SALE, {"ids": list(requested), "now": now})
    available = {row.variant_id: row.available for row in rows}
    return [
        {**line, "available": requested[line["variant_id"]] <= available.get(line["variant_id"], 0)}
        for line in lines
    ]


def movements(connection: Connection, variant_id: int, limit: int, cursor: str | None) -> Json:
    """The variant's ledger, newest first, as `{"items", "next"}`; raises `VariantNotFound`."""
    query = select(*_MOVEMENT).where(Movement.variant_id == variant_id)
    rows, following = _NEWEST.page(connection, query, limit, cursor or None)
    if not rows and not connection.scalar(
        select(Stock.variant_id).filter_by(variant_id=variant_id).limit(1)
    ):
        raise VariantNotFound()
    return {"items": [dict(row) for row in rows], "next": following}
