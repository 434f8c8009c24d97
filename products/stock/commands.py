"""What changes stock: staff who count it, and orders.

Each is done in one transaction or not at all. After the commit a broadcast names the products whose
stock has changed.
"""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from chassis import staff
from chassis.database import Begin
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_staff
from contracts.inventory.errors import OutOfStock, ReservationNotFound, ReservationReleased
from contracts.inventory.fields import MAX_HOLD
from contracts.users.enums import Action, Target
from products import cache_invalidation
from products.context import Context
from products.stock import ledger, locations, queries, reservation_store, reservations
from products.stock.reservation_store import HoldFreed


def adjust(
    context: Context,
    actor: Actor,
    variant_id: int,
    location: str | None,
    delta: int | None,
    on_hand: int | None,
    reason: str,
    version: int | None,
) -> Json:
    """The stock, by `delta` more or fewer or with `on_hand` as it was counted at `location`; if
    none is named, `on_hand` is that of all, and `locations.usual` has the difference.

    Raises `Forbidden`, `VariantNotFound`, `StockReserved`, `Invalid`, `PreconditionFailed` when the
    stock is not at `version` (if given) any more.
    """
    require_staff(actor)
    now = context.clock()
    with _changing(context) as session:
        place = location or locations.usual(session, variant_id)
        locations.check(session, place)
        change = variant_id, place, delta, on_hand, reason, version
        moved = ledger.adjust(session, *change, actor, now, of_all=location is None)
        stock = queries.get(session, variant_id, now)
        counted = next(each for each in stock["locations"] if each["location"] == place)
        detail: Json = {"variant_id": variant_id, "delta": moved}
        detail |= {"on_hand": counted["on_hand"], "location": place}
        about = Target.PRODUCT, stock["product_id"]
        staff.tell(context, session, actor, Action.STOCK_ADJUSTED, *about, **detail)
        return stock


def reserve(
    context: Context,
    order_id: UUID,
    lines: Sequence[Mapping[str, int]],
    expires_at: datetime.datetime,
    country: str | None,
) -> Json:
    """Hold all `lines` for the order until `expires_at`, or none: in one statement if the order is
    new and a location has enough, else step by step. See `products.stock.reservation_store`."""
    asked = order_id, lines, expires_at, context.clock(), MAX_HOLD, country
    with context.db.autocommit() as connection:
        held = reservation_store.reserve_new(connection, *asked)
    if held:
        changed = cache_invalidation.changes(line["product_id"] for line in held["lines"])
        context.broadcast.publish_now("stock_changed", changed)
        return held
    with _changing(context) as session:
        return reservation_store.reserve(session, *asked)


def commit(context: Context, order_id: UUID, begin: Begin | None = None) -> Json:
    """Hold what the order has until it is shipped, for it is paid.

    Raises `OutOfStock`, `ReservationNotFound`, `ReservationReleased`.
    """
    try:
        with _changing(context, begin) as session:
            return reservation_store.commit(session, order_id, context.clock())
    except HoldFreed:
        with _changing(context, begin) as session:
            return reservation_store.commit(session, order_id, context.clock())


def commit_paid(context: Context, order_id: UUID, begin: Begin) -> None:
    """`commit` for an order that is paid already, as an event tells; when its stock is lost, that
    is told in turn."""
    try:
        commit(context, order_id, begin)
    except (OutOfStock, ReservationNotFound, ReservationReleased):
        with begin() as session:
            context.events.record(session, "stock_lost", {"order_id": order_id})


def release(context: Context, order_id: UUID, reason: str, begin: Begin | None = None) -> Json:
    """Give back all that the order has but what is shipped; it will get nothing more."""
    with _changing(context, begin) as session:
        return reservation_store.release(session, order_id, reason, context.clock())


def ship(context: Context, parcel: Mapping[str, Any], begin: Begin) -> None:
    """Book what has left in a parcel, as an event tells (`fulfilment_shipped`)."""
    about = parcel["order_id"], parcel["fulfilment_id"], parcel["location"]
    with _changing(context, begin) as session:
        lost = reservation_store.ship(session, *about, _units(parcel), context.clock())
    if lost:
        known = {"order_id": str(parcel["order_id"]), "variant_ids": list(lost)}
        context.log.warning("shipped_without_stock", **known)


def cancel_units(context: Context, cancellation: Mapping[str, Any], begin: Begin) -> None:
    """Give back units that will not be shipped, as an event tells (`order_items_cancelled`)."""
    about = cancellation["order_id"], cancellation["cancellation_id"]
    with _changing(context, begin) as session:
        units, places = _units(cancellation), _places(cancellation)
        reservation_store.cancel_units(session, *about, units, places, context.clock())


def reopen(context: Context, order_id: UUID, begin: Begin) -> None:
    """Hold what a release before took off the books when the order was paid."""
    with _changing(context, begin) as session:
        reservation_store.reopen(session, order_id, context.clock())


def relocate(
    context: Context, actor: Actor, order_id: UUID, items: Sequence[Mapping[str, Any]]
) -> Json:
    """Have units of an order shipped from other locations: `items` are {variant_id, quantity,
    from_, to}.

    Raises `Forbidden`, `ReservationNotFound`, `Invalid`, `NotHeld` when the order holds fewer where
    they are to come from, `OutOfStock` when fewer are free where they are to go.
    """
    require_staff(actor)
    now = context.clock()
    with _changing(context) as session:
        reservation_store.relocate(session, order_id, items, actor, now)
        units = sum(each["quantity"] for each in items)
        about = Target.ORDER, order_id
        staff.tell(context, session, actor, Action.STOCK_RELOCATED, *about, units=units)
        return queries.allocation(session, order_id)


def expire(context: Context, batch: int) -> int:
    """End up to `batch` reservations whose time is over; how many there were."""
    with _changing(context) as session:
        return reservation_store.expire(session, context.clock(), batch)


def _changing(context: Context, begin: Begin | None = None) -> AbstractContextManager[Session]:
    return cache_invalidation.publishing(context, "stock_changed", begin)


def _places(told: Mapping[str, Any]) -> dict[tuple[int, str], int]:
    """Units by variant and location, of an event's places."""
    places: dict[tuple[int, str], int] = {}
    for each in told["places"]:
        place = each["variant_id"], each["location"]
        places[place] = places.get(place, 0) + each["quantity"]
    return places


def _units(told: Mapping[str, Any]) -> dict[int, int]:
    """Units by variant, of an event's lines."""
    return reservations.merge(told["lines"])
