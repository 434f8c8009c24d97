"""Orders take stock, keep it and give it back: the rules of `products.stock.reservations`, in SQL.

Functions run in the transaction of `session`; only `reserve_new` is one by itself. Locks are taken
in one order, the order's reservation first and then stock by variant and location; nothing waits
for a reservation with stock locked.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Result, Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.constraints import broken
from chassis.errors import Invalid
from chassis.identity import Actor
from contracts.inventory.enums import ReservationState
from contracts.inventory.errors import ReservationNotFound, ReservationReleased
from products import cache_invalidation
from products.stock import ledger, locations, reservations
from products.stock import reservation_sql as sql
from products.stock.allocation import Place, allocate
from products.stock.ledger import Levels
from products.stock.reservations import Change, Line

#: The constraint that nothing is promised twice.
_ENOUGH = "ck_stock_reserved_within_on_hand"

#: A hold that ends sooner may be over by the clock of another instance.
_LASTING = datetime.timedelta(minutes=1)


class HoldFreed(Exception):
    """Another instance, whose clock is ahead, has just freed the hold; to be tried again."""


def reserve_new(
    connection: Connection | Session,
    order_id: UUID,
    lines: Sequence[Mapping[str, int]],
    expires_at: datetime.datetime,
    now: datetime.datetime,
    longest: datetime.timedelta,
    country: str | None = None,
) -> dict[str, Any] | None:
    """`reserve` in one statement, for the usual case: a new order, and a location that has enough
    of everything.

    None when it is anything else: nothing has changed then, and `reserve` has to decide. Raises
    `Invalid`. On `connection`, each statement is its own transaction.

    Both ways write the same rows under the same locks, taken in the same order. Before it waits for
    anybody, the statement looks at what is for sale and enough. A wait can change two things. The
    order may turn out to be there already: its row is not written then, and the rest follows from
    that row. Or others have taken of the stock meanwhile: the counters are added to as they are
    under the lock, and if that is too much, a constraint undoes the statement as a whole.

    What has expired is still reserved for this way, so it never takes what the long one could not.
    It leaves it as it is: free for every reader (`products.stock.availability`) until somebody
    needs it, or the sweep comes.
    """
    requested = reservations.merge(lines)
    if not reservations.may_hold(expires_at, now, longest):
        return None
    row = {
        "order": order_id,
        "variants": list(requested),
        "quantities": list(requested.values()),
        "country": country,
        "until": expires_at,
        "now": now,
    }
    try:
        sold = connection.execute(sql.RESERVE_NEW, row).mappings().all()
    except IntegrityError as error:
        if broken(error) != _ENOUGH:
            raise
        return None
    if not sold:
        return None
    allocated = {
        (each["variant_id"], each["location"]): requested[each["variant_id"]] for each in sold
    }
    return _answer(order_id, ReservationState.RESERVED, expires_at) | _reserved(sold, allocated)


def reserve(
    session: Session,
    order_id: UUID,
    lines: Sequence[Mapping[str, int]],
    expires_at: datetime.datetime,
    now: datetime.datetime,
    longest: datetime.timedelta,
    country: str | None = None,
) -> dict[str, Any]:
    """Hold all `lines` for the order until `expires_at`, or none: at the locations that are nearest
    to `country` (ISO 3166), see `products.stock.allocation`.

    A repeat answers what the first call did, at the prices of now. Raises `OutOfStock`,
    `ReservationConflict`, `ReservationReleased`, `Invalid`.
    """
    requested = reservations.merge(lines)
    earlier = _begin(session, order_id, ReservationState.RESERVED, expires_at, now)
    if earlier is not None:
        had = _lines(session, order_id)
        state = ReservationState(earlier.state)
        total = reservations.quantities(had)
        if not reservations.must_take(state, earlier.expires_at, total, requested, now):
            allocated = {line.place: line.quantity for line in had}
            answer = _answer(order_id, state, earlier.expires_at)
            return answer | _reserved(_sold(session, requested), allocated)
        session.execute(sql.RENEW, {"order": order_id, "until": expires_at, "now": now})
    reservations.check_hold(expires_at, now, longest)

    levels = ledger.lock(session, requested)
    changes = ledger.free_expired(session, levels, now)
    free = {each: level.available for each, level in levels.items() if level.for_sale}
    with ledger.naming_products(levels):
        allocated = allocate(requested, free, locations.ranked(session, country))
    held = [Line(*place, quantity, held=True) for place, quantity in allocated.items()]
    _save(session, order_id, held, expires_at)
    changes += reservations.reserve(order_id, allocated)
    ledger.apply(session, changes, now)
    answer = _answer(order_id, ReservationState.RESERVED, expires_at)
    return answer | _reserved(_sold(session, requested), allocated)


def commit(session: Session, order_id: UUID, now: datetime.datetime) -> dict[str, Any]:
    """Hold what the order has until it is shipped, for it is paid. A repeat changes nothing.

    What expired and is freed by now is taken again, if it is there. Raises `OutOfStock`,
    `ReservationNotFound`, `ReservationReleased`.
    """
    row = {"order": order_id, "lasting": now + _LASTING, "now": now}
    whole = session.execute(sql.COMMIT_WHOLE, row).one_or_none()
    if whole is not None:
        if whole.kept < whole.were:
            raise HoldFreed
        return _answer(order_id, ReservationState.COMMITTED, whole.expires_at)
    found = _lock_known(session, order_id)
    if found.state == ReservationState.RELEASED:
        raise ReservationReleased()
    if found.state != ReservationState.COMMITTED:
        levels, lines = _lock_lines(session, order_id)
        ledger.apply(session, _retake(session, order_id, levels, lines, now), now)
        if found.expires_at <= now:  # readers saw it as free
            seen = (level.product_id for level in levels.values())
            cache_invalidation.mark_changed(session, seen)
        _save(session, order_id, lines, None)
        session.execute(sql.COMMIT, {"order": order_id, "now": now})
    return _answer(order_id, ReservationState.COMMITTED, found.expires_at)


def release(
    session: Session, order_id: UUID, reason: str, now: datetime.datetime
) -> dict[str, Any]:
    """Give back all that the order has, whether reserved or committed, but what has been shipped. A
    repeat changes nothing.

    An order that has nothing yet will get nothing: a `reserve` that comes later is refused.
    """
    row = {"order": order_id, "reason": reason, "lasting": now + _LASTING, "now": now}
    if whole := session.execute(sql.RELEASE_WHOLE, row).all():
        if seen := [line.product_id for line in whole if line.product_id is not None]:
            cache_invalidation.mark_changed(session, seen)
        return _answer(order_id, ReservationState.RELEASED, whole[0].expires_at)
    found = _begin(session, order_id, ReservationState.RELEASED, None, now)
    if found is not None and found.state != ReservationState.RELEASED:
        _, lines = _lock_lines(session, order_id)
        changes = reservations.release(order_id, ReservationState(found.state), lines, reason)
        ledger.apply(session, changes, now)
        _end(session, order_id, ReservationState.RELEASED, now)
    return _answer(order_id, ReservationState.RELEASED, found and found.expires_at)


def ship(
    session: Session,
    order_id: UUID,
    fulfilment_id: UUID,
    location: str,
    units: Mapping[int, int],
    now: datetime.datetime,
) -> dict[int, int]:
    """Book that so many units, by variant, have left in a parcel; once for each `fulfilment_id`.

    Returns those that could not be booked: the order holds them nowhere, and there are none.
    Raises `ReservationNotFound`.
    """
    found = _lock_known(session, order_id)
    if session.scalar(sql.BOOKED, {"cause": fulfilment_id}):
        return {}
    ledger.open_stock(session, units, location)
    levels, lines = _lock_lines(session, order_id, units)
    changes = reservations.reopen(order_id, ReservationState(found.state), lines)
    ledger.count(levels, changes)
    free = {each: levels[each, location].available for each in units if (each, location) in levels}
    shipped, lost = reservations.ship(order_id, lines, location, units, free, fulfilment_id)
    _change_lines(session, order_id, found, lines, changes + shipped, now)
    return lost


def cancel_units(
    session: Session,
    order_id: UUID,
    cause_id: UUID,
    units: Mapping[int, int],
    places: Mapping[tuple[int, str], int],
    now: datetime.datetime,
) -> None:
    """Give back units, by variant, that will not be shipped, where that is known at their `places`.
    Raises `ReservationNotFound`."""
    found = _lock_known(session, order_id)
    if found.state == ReservationState.RELEASED:
        return
    _, lines = _lock_lines(session, order_id)
    changes = reservations.reopen(order_id, ReservationState(found.state), lines)
    changes += reservations.cancel(order_id, lines, units, places, cause_id)
    _change_lines(session, order_id, found, lines, changes, now)


def relocate(
    session: Session,
    order_id: UUID,
    items: Sequence[Mapping[str, Any]],
    actor: Actor,
    now: datetime.datetime,
) -> None:
    """Hold units of an order at other locations: `items` are {variant_id, quantity, from_, to}. One
    that a release before took off the books may have been shipped, so it holds none until `reopen`.

    Raises `ReservationNotFound`, `Invalid`, `NotHeld`, `OutOfStock`.
    """
    found = _lock_known(session, order_id)
    active = locations.ranked(session, None)
    if any(each["to"] not in active for each in items):
        raise Invalid(errors={"items": ["`to` is no active location."]})
    levels, _ = _lock_lines(session, order_id)
    changes = ledger.free_expired(session, levels, now)
    lines = _lines(session, order_id)
    for each in items:
        target = levels.get((each["variant_id"], each["to"]))
        free = {each["variant_id"]: target.available if target else 0}
        with ledger.naming_products(levels):
            moved = reservations.relocate(order_id, lines, each, free)
        ledger.count(levels, moved)
        changes += moved
    lines[:] = [line for line in lines if line.quantity]
    _change_lines(session, order_id, found, lines, changes, now, actor.user_id)


def reopen(session: Session, order_id: UUID, now: datetime.datetime) -> None:
    """Hold again what a release before took off the books when the order was paid."""
    found = _lock(session, order_id)
    if found is not None and found.state == ReservationState.COMMITTED:
        _, lines = _lock_lines(session, order_id)
        if changes := reservations.reopen(order_id, ReservationState.COMMITTED, lines):
            _change_lines(session, order_id, found, lines, changes, now)


def expire(session: Session, now: datetime.datetime, batch: int) -> int:
    """Free what up to `batch` expired reservations still hold; how many there were.

    Skips those that somebody is working on: other instances sweep too.
    """
    due = session.scalars(sql.DUE, {"now": now, "batch": batch}).all()
    if due:
        ledger.lock(session, session.scalars(sql.VARIANTS_OF, {"orders": due}).all())
        freed = session.execute(sql.EXPIRE, {"orders": due, "now": now})
        ledger.apply(session, [reservations.expire(*line) for line in freed], now)
    return len(due)


def _begin(
    session: Session,
    order_id: UUID,
    state: ReservationState,
    expires_at: datetime.datetime | None,
    now: datetime.datetime,
) -> Row[Any, Any] | None:
    """Write the order's reservation, or lock the one that is there and return it.

    The unique row comes first: of two calls for one order, the second waits for the first here.
    """
    row = {"order": order_id, "begun": state.value, "until": expires_at, "now": now}
    return None if _rows(session.execute(sql.BEGIN, row)) else _lock(session, order_id)


def _rows(result: Result[Any]) -> int:
    """How many rows a statement has written."""
    return cast("CursorResult[Any]", result).rowcount


def _lock(session: Session, order_id: UUID) -> Row[Any, Any] | None:
    return session.execute(sql.LOCK, {"order": order_id}).one_or_none()


def _lock_known(session: Session, order_id: UUID) -> Row[Any, Any]:
    found = _lock(session, order_id)
    if found is None:
        raise ReservationNotFound()
    return found


def _lines(session: Session, order_id: UUID) -> list[Line]:
    return [Line(*row) for row in session.execute(sql.LINES_OF_ORDER, {"order": order_id})]


def _lock_lines(
    session: Session, order_id: UUID, variant_ids: Iterable[int] = ()
) -> tuple[Levels, list[Line]]:
    """The order's lines with the stock of their variants locked, and of others. They are read again
    under the lock, because until then others may free those that expired."""
    variants = {line.variant_id for line in _lines(session, order_id)} | set(variant_ids)
    return ledger.lock(session, variants), _lines(session, order_id)


def _save(
    session: Session, order_id: UUID, lines: Sequence[Line], until: datetime.datetime | None
) -> None:
    """Write the lines of an order; those that it holds are held until then, for good if None."""
    session.execute(
        sql.SAVE,
        {
            "order": order_id,
            "until": until,
            "variants": [line.variant_id for line in lines],
            "locations": [line.location for line in lines],
            "quantities": [line.quantity for line in lines],
            "shipped": [line.shipped for line in lines],
            "cancelled": [line.cancelled for line in lines],
            "held": [line.held for line in lines],
        },
    )


def _change_lines(
    session: Session,
    order_id: UUID,
    found: Row[Any, Any],
    lines: Sequence[Line],
    changes: Sequence[Change],
    now: datetime.datetime,
    actor: UUID | None = None,
) -> None:
    """Write what has become of the lines of the reservation that was `found`."""
    ledger.apply(session, changes, now, actor)
    until = found.expires_at if found.state == ReservationState.RESERVED else None
    _save(session, order_id, lines, until)
    session.execute(sql.TOUCH, {"order": order_id, "now": now})


def _retake(
    session: Session,
    order_id: UUID,
    levels: Levels,
    lines: list[Line],
    now: datetime.datetime,
) -> list[Change]:
    """Hold anew what the order no longer holds, wherever there is some; changes `lines`."""
    lost = [line for line in lines if line.open and not line.held]
    if not lost:
        return []
    wanted = reservations.quantities(lost, open_only=True)
    # Of these variants the order holds nothing: others are not to be freed under it.
    of_lost = {place: level for place, level in levels.items() if place[0] in wanted}
    changes = ledger.free_expired(session, of_lost, now)
    free = {place: level.available for place, level in of_lost.items()}
    with ledger.naming_products(levels):
        allocated = allocate(wanted, free, locations.ranked(session, None))
    for line in lost:
        line.quantity -= line.open
    for place, quantity in allocated.items():
        line = reservations.line_at(lines, *place)
        line.quantity += quantity
        line.held = True
    lines[:] = [line for line in lines if line.quantity]
    return changes + reservations.reserve(order_id, allocated, reservations.PAID)


def _end(session: Session, order_id: UUID, state: ReservationState, now: datetime.datetime) -> None:
    session.execute(sql.END, {"order": order_id, "ended": state.value, "now": now})


def _answer(
    order_id: UUID, state: ReservationState, expires_at: datetime.datetime | None
) -> dict[str, Any]:
    return {"order_id": order_id, "state": state.value, "expires_at": expires_at}


def _sold(session: Session, ids: Iterable[int]) -> Sequence[Mapping[Any, Any]]:
    return session.execute(sql.SOLD, {"variants": list(ids)}).mappings().all()


def _reserved(sold: Sequence[Mapping[Any, Any]], allocated: Mapping[Place, int]) -> dict[str, Any]:
    """What the answer of a reservation says of its variants, and of where they are shipped from."""
    return {
        "lines": [{name: each[name] for name in each if name != "location"} for each in sold],
        "allocation": [
            {"variant_id": variant_id, "location": location, "quantity": quantity}
            for (variant_id, location), quantity in allocated.items()
        ],
    }
