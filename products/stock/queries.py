"""How much there is, and how that came about."""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    any_,
    bindparam,
    column,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis import paging
from chassis.messages import Json
from contracts.inventory.errors import ReservationNotFound
from contracts.products.errors import ChooseVariant, VariantNotFound
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

_MOVEMENT: tuple[InstrumentedAttribute[Any] | ColumnElement[Any], ...] = (
    Movement.id,
    Movement.variant_id,
    select(Variant.product_id)
    .where(Variant.id == Movement.variant_id)
    .correlate(Movement)
    .scalar_subquery()
    .label("product_id"),
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


def _for_sale() -> Select[Any]:
    """Variants by their `ids`, and one or two of each of `products`: two tell that a product has
    several."""
    product = (
        func.unnest(bindparam("products", type_=ARRAY(BigInteger)))
        .table_valued(column("id", BigInteger))
        .render_derived("product")
    )
    each = (
        select(Variant.id)
        .where(Variant.product_id == product.c.id, Variant.deleted_at.is_(None))
        .limit(2)
        .correlate(product)
        .lateral("each")
    )
    named = union_all(
        select(Variant.id, Variant.product_id, literal(False).label("by_product")).where(
            Variant.id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
            Variant.deleted_at.is_(None),
        ),
        select(each.c.id, product.c.id, literal(True)).select_from(product.join(each, true())),
    ).subquery("named")
    return (
        select(*named.c, func.sum(AVAILABLE).label("available"))
        .join(Stock, Stock.variant_id == named.c.id)
        .group_by(*named.c)
    )


_FOR_SALE = _for_sale()
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
    """Where an order is shipped from, the locations in the order in which they are preferred.
    Raises `ReservationNotFound`."""
    state = connection.scalar(select(Reservation.state).where(Reservation.order_id == order_id))
    if state is None:
        raise ReservationNotFound()
    of = ReservationLine
    columns = (of.variant_id, of.location, of.quantity, of.shipped, of.cancelled)
    query = select(*columns, (of.quantity - of.shipped - of.cancelled).label("open"))
    query = query.join(Location, Location.code == of.location).where(of.order_id == order_id)
    rows = connection.execute(query.order_by(Location.priority, Location.code, of.variant_id))
    return {"order_id": order_id, "state": state, "items": [dict(row) for row in rows.mappings()]}


def check(
    connection: Connection,
    lines: Sequence[Mapping[str, int]],
    now: datetime.datetime,
    variants_of: Callable[[Sequence[int]], Iterable[Json]],
) -> list[dict[str, Any]]:
    """Each of `lines` ({variant_id or product_id, quantity}) with both ids, null if there is no
    such variant, and `available`: whether all lines of its variant could be had now.

    Raises `ChooseVariant` for products that have several; `variants_of` reads these.
    """
    by_product = {line["product_id"] for line in lines if "product_id" in line}
    ids = {line["variant_id"] for line in lines if "variant_id" in line}
    asked = {"ids": list(ids), "products": list(by_product), "now": now}
    rows = connection.execute(_FOR_SALE, asked).all()
    by_id = {row.id: row for row in rows}
    only = {row.product_id: row for row in rows if row.by_product}
    counted = Counter(row.product_id for row in rows if row.by_product)
    if several := [one for one in by_product if counted[one] > 1]:
        raise _choice(sorted(several), variants_of)
    found = [
        only.get(line["product_id"]) if "product_id" in line else by_id.get(line["variant_id"])
        for line in lines
    ]
    requested = reservations.merge(
        {"variant_id": row.id, "quantity": line["quantity"]}
        for row, line in zip(found, lines, strict=True)
        if row
    )
    return [
        {
            "variant_id": row.id if row else line.get("variant_id"),
            "product_id": row.product_id if row else line.get("product_id"),
            "quantity": line["quantity"],
            "available": row is not None and requested[row.id] <= row.available,
        }
        for row, line in zip(found, lines, strict=True)
    ]


def _choice(
    product_ids: Sequence[int], variants_of: Callable[[Sequence[int]], Iterable[Json]]
) -> ChooseVariant:
    variants: dict[int, list[Json]] = {one: [] for one in product_ids}
    for variant in variants_of(product_ids):
        variants[variant["product_id"]].append(variant)
    return ChooseVariant.of(variants)


def movements(connection: Connection, variant_id: int, limit: int, cursor: str | None) -> Json:
    """The variant's ledger, newest first, as `{"items", "next"}`; raises `VariantNotFound`."""
    query = select(*_MOVEMENT).where(Movement.variant_id == variant_id)
    rows, following = _NEWEST.page(connection, query, limit, cursor or None)
    if not rows and not connection.scalar(
        select(Stock.variant_id).filter_by(variant_id=variant_id).limit(1)
    ):
        raise VariantNotFound()
    return {"items": [dict(row) for row in rows], "next": following}
