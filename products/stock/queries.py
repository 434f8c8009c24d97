"""How much there is, and how that came about."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis import paging
from chassis.messages import Json
from contracts.products.errors import VariantNotFound
from products.models import Movement, Stock, Variant
from products.stock import reservations
from products.stock.availability import AVAILABLE

_LEVEL = (
    select(
        Stock.variant_id,
        Variant.product_id,
        Stock.on_hand,
        (Stock.on_hand - AVAILABLE).label("reserved"),
        AVAILABLE.label("available"),
        Stock.version,
    )
    .join(Variant, Variant.id == Stock.variant_id)
    .where(Stock.variant_id == bindparam("id"))
)

_MOVEMENT: tuple[InstrumentedAttribute[Any], ...] = (
    Movement.id,
    Movement.variant_id,
    Movement.kind,
    Movement.delta_on_hand,
    Movement.delta_reserved,
    Movement.order_id,
    Movement.reason,
    Movement.actor,
    Movement.at,
)

_FOR_SALE = (
    select(Stock.variant_id, AVAILABLE.label("available"))
    .join(Variant, Variant.id == Stock.variant_id)
    .where(
        Stock.variant_id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
        Variant.deleted_at.is_(None),
    )
)

_NEWEST = paging.Keyset("movements", Movement.id)


def get(connection: Connection | Session, variant_id: int, now: datetime.datetime) -> Json:
    """The counters; `reserved` leaves out what has expired. Raises `VariantNotFound`."""
    row = connection.execute(_LEVEL, {"id": variant_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise VariantNotFound()
    return dict(row)


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
        select(Stock.variant_id).filter_by(variant_id=variant_id)
    ):
        raise VariantNotFound()
    return {"items": [dict(row) for row in rows], "next": following}
