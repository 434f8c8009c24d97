"""The rows of parcels, and the counters of the lines that move with them.

All of it happens under the lock of the order (`orders.order.queries.lock`), so of two clerks the
second counts what the first has taken.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, case, cast, exists, func, insert, select, update
from sqlalchemy.orm import Session

from chassis import currencies
from contracts.orders.enums import FulfilmentState
from orders.fulfilments import locations
from orders.fulfilments.allocation import Allocated
from orders.fulfilments.locations import Held
from orders.fulfilments.progress import LineProgress
from orders.models import CancelledPlace, Fulfilment, FulfilmentLine, Order, OrderLine


def progress(session: Session, order_id: uuid.UUID) -> list[LineProgress]:
    """The lines of an order, in their order."""
    packing = (
        select(
            FulfilmentLine.line, cast(func.sum(FulfilmentLine.quantity), BigInteger).label("units")
        )
        .join(Fulfilment, Fulfilment.id == FulfilmentLine.fulfilment_id)
        .where(Fulfilment.order_id == order_id, Fulfilment.state == FulfilmentState.PACKING)
        .group_by(FulfilmentLine.line)
        .subquery()
    )
    query = (
        select(
            OrderLine.line,
            OrderLine.variant_id,
            OrderLine.product_id,
            OrderLine.name,
            OrderLine.quantity,
            OrderLine.cancelled,
            OrderLine.shipped,
            func.coalesce(packing.c.units, 0),
        )
        .outerjoin(packing, packing.c.line == OrderLine.line)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.line)
    )
    return [LineProgress(*row) for row in session.execute(query)]


def is_under_way(session: Session, order_id: uuid.UUID) -> bool:
    """Whether a parcel of the order has left and not arrived."""
    left = Fulfilment.order_id == order_id, Fulfilment.state == FulfilmentState.SHIPPED
    return bool(session.scalar(select(exists().where(*left))))


def is_known(connection: Connection, order_id: uuid.UUID, key: str | None) -> bool:
    """Whether a parcel was made under `key`."""
    made = Fulfilment.order_id == order_id, Fulfilment.key == key
    return key is not None and bool(connection.scalar(select(exists().where(*made))))


def is_worth_money(session: Session, order: Order) -> bool:
    """Whether units of an order that have not left were paid for; those that are cancelled or have
    left count as the first of their line (`orders.division.upto`)."""
    gone = OrderLine.total * (OrderLine.cancelled + OrderLine.shipped) / OrderLine.quantity
    worth = OrderLine.total > func.round(gone, currencies.places(order.currency))
    return bool(session.scalar(select(exists().where(OrderLine.order_id == order.id, worth))))


def known(session: Session, order_id: uuid.UUID, key: str | None) -> Fulfilment | None:
    """The parcel that was made under `key`."""
    if key is None:
        return None
    query = select(Fulfilment).where(Fulfilment.order_id == order_id, Fulfilment.key == key)
    return session.scalars(query).one_or_none()


def in_state(session: Session, order_id: uuid.UUID, state: FulfilmentState) -> list[Fulfilment]:
    """The parcels of an order that are in `state`, oldest first."""
    query = select(Fulfilment).where(Fulfilment.order_id == order_id, Fulfilment.state == state)
    return list(session.scalars(query.order_by(Fulfilment.created_at, Fulfilment.id)))


def held(session: Session, order_id: uuid.UUID, allocated: Allocated) -> Held:
    """What can still be packed, or cancelled, and where; `allocated` is what inventory says."""
    taken = in_parcels(session, order_id), cancelled_places(session, order_id)
    return locations.held(allocated, *taken)


def cancelled_places(session: Session, order_id: uuid.UUID) -> dict[tuple[str, int], int]:
    """How many units of an order we have cancelled, by the location and variant they lay at."""
    units = cast(func.sum(CancelledPlace.quantity), BigInteger)
    query = (
        select(CancelledPlace.location, OrderLine.variant_id, units)
        .join(
            OrderLine,
            (OrderLine.order_id == CancelledPlace.order_id)
            & (OrderLine.line == CancelledPlace.line),
        )
        .where(CancelledPlace.order_id == order_id)
        .group_by(CancelledPlace.location, OrderLine.variant_id)
    )
    return {
        (location, variant_id): quantity
        for location, variant_id, quantity in session.execute(query)
    }


def in_parcels(session: Session, order_id: uuid.UUID) -> dict[tuple[str, int], int]:
    """How many units of an order are in parcels, or left in them, by location and variant."""
    units = cast(func.sum(FulfilmentLine.quantity), BigInteger)
    query = (
        select(Fulfilment.location, OrderLine.variant_id, units)
        .join(FulfilmentLine, FulfilmentLine.fulfilment_id == Fulfilment.id)
        .join(
            OrderLine,
            (OrderLine.order_id == Fulfilment.order_id) & (OrderLine.line == FulfilmentLine.line),
        )
        .where(Fulfilment.order_id == order_id, Fulfilment.state != FulfilmentState.CANCELLED)
        .group_by(Fulfilment.location, OrderLine.variant_id)
    )
    return {
        (location, variant_id): packed for location, variant_id, packed in session.execute(query)
    }


def add(session: Session, parcel: Fulfilment, units: Mapping[int, int]) -> None:
    """Write a new parcel with so many units of each line."""
    session.add(parcel)
    session.flush()
    rows = [
        {
            "fulfilment_id": parcel.id,
            "order_id": parcel.order_id,
            "line": line,
            "quantity": quantity,
        }
        for line, quantity in units.items()
    ]
    session.execute(insert(FulfilmentLine), rows)


def units(
    connection: Connection | Session, parcels: Sequence[uuid.UUID]
) -> dict[uuid.UUID, dict[int, int]]:
    """What is in the parcels: units by line, in the order of the lines."""
    found: dict[uuid.UUID, dict[int, int]] = {parcel_id: {} for parcel_id in parcels}
    of = FulfilmentLine
    query = select(of.fulfilment_id, of.line, of.quantity).where(of.fulfilment_id.in_(parcels))
    for row in connection.execute(query.order_by(of.line)) if parcels else ():
        found[row.fulfilment_id][row.line] = row.quantity
    return found


def count(session: Session, order_id: uuid.UUID, **counters: Mapping[int, Any]) -> None:
    """Add to each of the `counters` of an order's lines, by line; all have the same lines."""
    grown = {
        name: getattr(OrderLine, name) + case(dict(by_line), value=OrderLine.line)
        for name, by_line in counters.items()
    }
    lines = {line for by_line in counters.values() for line in by_line}
    these = OrderLine.order_id == order_id, OrderLine.line.in_(lines)
    session.execute(update(OrderLine).where(*these).values(grown))


def cancel_all(session: Session, order_id: uuid.UUID) -> bool:
    """Count all units of an order as cancelled; whether some of them are in a parcel."""
    packed = Fulfilment.order_id == order_id, Fulfilment.state == FulfilmentState.PACKING
    cancelled = update(OrderLine).where(OrderLine.order_id == order_id)
    rows = session.scalars(
        cancelled.values(cancelled=OrderLine.quantity).returning(exists().where(*packed)),
        # What the caller has changed is written with what follows.
        execution_options={"autoflush": False},
    )
    return any(rows.all())
