"""Orders take stock, keep it and give it back: the rules of `products.stock.reservations`, in SQL.

Functions run in the transaction of `session`; only `reserve_new` is one by itself. Locks are taken
in one order, the order's reservation first and then stock by product id; nothing waits for a
reservation with stock locked.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Result, Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.constraints import broken
from contracts.inventory.enums import MovementKind, ReservationState
from contracts.inventory.errors import ReservationNotFound, ReservationReleased
from products import cache_invalidation
from products.stock import ledger, reservations
from products.stock import reservation_sql as sql
from products.stock.ledger import Level
from products.stock.reservations import Change, Line

#: The constraint that nothing is promised twice.
_ENOUGH = "ck_stock_reserved_within_on_hand"

#: A hold that ends sooner may be over by the clock of another instance.
_LASTING = datetime.timedelta(minutes=1)


def reserve_new(
    connection: Connection | Session,
    order_id: UUID,
    lines: Sequence[Mapping[str, int]],
    expires_at: datetime.datetime,
    now: datetime.datetime,
    longest: datetime.timedelta,
) -> dict[str, Any] | None:
    """`reserve` in one statement, for the usual case: a new order, and enough of everything.

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
        "products": list(requested),
        "quantities": list(requested.values()),
        "until": expires_at,
        "now": now,
    }
    try:
        priced = _priced(connection.execute(sql.RESERVE_NEW, row))
    except IntegrityError as error:
        if broken(error) != _ENOUGH:
            raise
        return None
    if not priced["lines"]:
        return None
    return _answer(order_id, ReservationState.RESERVED, expires_at) | priced


def reserve(
    session: Session,
    order_id: UUID,
    lines: Sequence[Mapping[str, int]],
    expires_at: datetime.datetime,
    now: datetime.datetime,
    longest: datetime.timedelta,
) -> dict[str, Any]:
    """Hold all `lines` for the order until `expires_at`, or none.

    A repeat answers what the first call did, at the prices of now. Raises `OutOfStock`,
    `ReservationConflict`, `ReservationReleased`, `Invalid`.
    """
    requested = reservations.merge(lines)
    earlier = _begin(session, order_id, ReservationState.RESERVED, expires_at, now)
    if earlier is not None:
        had = {line.variant_id: line.quantity for line in _lines(session, order_id)}
        state = ReservationState(earlier.state)
        if not reservations.must_take(state, earlier.expires_at, had, requested, now):
            return _answer(order_id, state, earlier.expires_at) | _sold(session, requested)
        session.execute(sql.RENEW, {"order": order_id, "until": expires_at, "now": now})
    reservations.check_hold(expires_at, now, longest)

    levels = ledger.lock(session, requested)
    changes = ledger.free_expired(session, levels, now)
    for_sale = {each: level.available for each, level in levels.items() if level.for_sale}
    reservations.check_enough(requested, for_sale)
    session.execute(
        sql.HOLD,
        {
            "order": order_id,
            "products": list(requested),
            "quantities": list(requested.values()),
            "until": expires_at,
        },
    )
    changes += reservations.reserve(order_id, requested)
    ledger.apply(session, changes, now)
    return _answer(order_id, ReservationState.RESERVED, expires_at) | _sold(session, requested)


def commit(session: Session, order_id: UUID, now: datetime.datetime) -> dict[str, Any]:
    """Take what the order holds for good, for it is paid. A repeat changes nothing.

    What expired and is freed by now is taken again, if it is there. Raises `OutOfStock`,
    `ReservationNotFound`, `ReservationReleased`.
    """
    committed = ReservationState.COMMITTED
    whole = reservations.COMMITTED_WHOLE
    if moved := _move_whole(session, order_id, whole, committed, reservations.PAID, now):
        return moved
    found = _lock(session, order_id)
    if found is None:
        raise ReservationNotFound()
    if found.state == ReservationState.RELEASED:
        raise ReservationReleased()
    if found.state != ReservationState.COMMITTED:
        levels, lines = _lock_lines(session, order_id)
        changes = _retake(session, levels, [line for line in lines if not line.held], now)
        changes += reservations.commit(order_id, lines)
        ledger.apply(session, changes, now)
        if found.expires_at <= now:  # readers saw it as free
            seen = (level.product_id for level in levels.values())
            cache_invalidation.mark_changed(session, seen)
        _end(session, order_id, ReservationState.COMMITTED, now)
    return _answer(order_id, ReservationState.COMMITTED, found.expires_at)


def release(
    session: Session, order_id: UUID, reason: str, now: datetime.datetime
) -> dict[str, Any]:
    """Give back all that the order has, whether held or committed. A repeat changes nothing.

    An order that has nothing yet will get nothing: a `reserve` that comes later is refused.
    """
    released = ReservationState.RELEASED
    whole = reservations.RELEASED_WHOLE
    if moved := _move_whole(session, order_id, whole, released, reason, now):
        return moved
    found = _begin(session, order_id, ReservationState.RELEASED, None, now)
    if found is not None and found.state != ReservationState.RELEASED:
        _, lines = _lock_lines(session, order_id)
        changes = reservations.release(order_id, ReservationState(found.state), lines, reason)
        ledger.apply(session, changes, now)
        _end(session, order_id, ReservationState.RELEASED, now)
    return _answer(order_id, ReservationState.RELEASED, found and found.expires_at)


def expire(session: Session, now: datetime.datetime, batch: int) -> int:
    """Free what up to `batch` expired reservations still hold; how many there were.

    Skips those that somebody is working on: other instances sweep too.
    """
    due = session.scalars(sql.DUE, {"now": now, "batch": batch}).all()
    if due:
        ledger.lock(session, session.scalars(sql.PRODUCTS_OF, {"orders": due}).all())
        freed = session.execute(sql.EXPIRE, {"orders": due, "now": now})
        ledger.apply(session, [reservations.expire(*line) for line in freed], now)
    return len(due)


def _move_whole(
    session: Session,
    order_id: UUID,
    moves: Mapping[ReservationState, tuple[MovementKind, int, int]],
    ended: ReservationState,
    reason: str,
    now: datetime.datetime,
) -> dict[str, Any] | None:
    """In one statement, for the usual case: the order's hold lasts, or all is taken.

    None when it is anything else: nothing has changed then, and the long way has to decide. Both
    ways write the same rows under the same locks, taken in the same order.
    """
    kinds, on_hand, reserved = zip(*moves.values(), strict=True)
    row = {
        "order": order_id,
        "states": [state.value for state in moves],
        "kinds": [kind.value for kind in kinds],
        "on_hand": list(on_hand),
        "reserved": list(reserved),
        "ended": ended.value,
        "reason": reason,
        "lasting": now + _LASTING,
        "now": now,
    }
    moved = session.execute(sql.MOVE_WHOLE, row).all()
    if seen := [line.product_id for line in moved if line.is_seen]:
        cache_invalidation.mark_changed(session, seen)
    return _answer(order_id, ended, moved[0].expires_at) if moved else None


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


def _lines(session: Session, order_id: UUID) -> list[Line]:
    return [Line(*row) for row in session.execute(sql.LINES_OF_ORDER, {"order": order_id})]


def _lock_lines(session: Session, order_id: UUID) -> tuple[dict[int, Level], list[Line]]:
    """The order's lines with their stock locked. They are read again under the lock, because
    until then others may free those that expired."""
    levels = ledger.lock(session, [line.variant_id for line in _lines(session, order_id)])
    return levels, _lines(session, order_id)


def _retake(
    session: Session, levels: dict[int, Level], lost: list[Line], now: datetime.datetime
) -> list[Change]:
    """Make sure that what the order no longer holds is there for it."""
    if not lost:
        return []
    of_lost = {line.variant_id: levels[line.variant_id] for line in lost}
    changes = ledger.free_expired(session, of_lost, now)
    reservations.check_enough(
        {line.variant_id: line.quantity for line in lost},
        {variant_id: level.available for variant_id, level in of_lost.items()},
    )
    return changes


def _end(session: Session, order_id: UUID, state: ReservationState, now: datetime.datetime) -> None:
    session.execute(sql.END, {"order": order_id, "ended": state.value, "now": now})


def _answer(
    order_id: UUID, state: ReservationState, expires_at: datetime.datetime | None
) -> dict[str, Any]:
    return {"order_id": order_id, "state": state.value, "expires_at": expires_at}


def _sold(session: Session, ids: Iterable[int]) -> dict[str, Any]:
    return _priced(session.execute(sql.SOLD, {"variants": list(ids)}))


def _priced(variants: Result[Any]) -> dict[str, Any]:
    """What the answer of a reservation says of its variants."""
    return {"lines": [dict(each) for each in variants.mappings()]}
