"""Orders take stock, keep it and give it back: the rules of `products.reservations`, in SQL.

Every function runs in the transaction of `session`. Locks are taken in one order, the order's
reservation first and then stock by product id; nothing waits for a reservation with stock locked.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import UUID as SqlUuid
from sqlalchemy import BigInteger, Integer, Row, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from products import ledger, reservations
from products.errors import ReservationNotFound, ReservationReleased
from products.ledger import Level
from products.models import Moment, Reservation, ReservationLine
from products.reservations import Change, Line, State

_HOLD = text("""
    INSERT INTO reservation_lines (order_id, product_id, quantity, held_until)
    SELECT :order_id, product_id, quantity, :until
    FROM unnest(:products, :quantities) AS line (product_id, quantity)
    ON CONFLICT (order_id, product_id) DO UPDATE SET held_until = excluded.held_until
""").bindparams(
    bindparam("order_id", type_=SqlUuid),
    bindparam("until", type_=Moment),
    bindparam("products", type_=ARRAY(BigInteger)),
    bindparam("quantities", type_=ARRAY(Integer)),
)


def reserve(
    session: Session,
    order_id: UUID,
    lines: Sequence[Mapping[str, int]],
    expires_at: datetime.datetime,
    now: datetime.datetime,
    longest: datetime.timedelta,
) -> dict[str, Any]:
    """Hold all `lines` for the order until `expires_at`, or none.

    A repeat answers what the first call did. Raises `OutOfStock`, `ReservationConflict`,
    `ReservationReleased`, `Invalid`.
    """
    wanted = reservations.merge(lines)
    earlier = _begin(session, order_id, State.RESERVED, expires_at, now)
    if earlier is not None:
        had = {line.product_id: line.quantity for line in _lines(session, order_id)}
        state = State(earlier.state)
        if not reservations.must_take(state, earlier.expires_at, had, wanted, now):
            return _answer(order_id, state, earlier.expires_at)
        session.execute(
            update(Reservation)
            .where(Reservation.order_id == order_id)
            .values(state=State.RESERVED, expires_at=expires_at, updated_at=now)
        )
    reservations.check_hold(expires_at, now, longest)

    levels = ledger.lock(session, wanted)
    changes = ledger.free_expired(session, levels, now)
    for_sale = {each: level.available for each, level in levels.items() if level.for_sale}
    reservations.check_enough(wanted, for_sale)
    session.execute(
        _HOLD,
        {
            "order_id": order_id,
            "products": list(wanted),
            "quantities": list(wanted.values()),
            "until": expires_at,
        },
    )
    changes += reservations.reserve(order_id, wanted)
    ledger.apply(session, changes, now)
    return _answer(order_id, State.RESERVED, expires_at)


def commit(session: Session, order_id: UUID, now: datetime.datetime) -> dict[str, Any]:
    """Take what the order holds for good, for it is paid. A repeat changes nothing.

    What expired and is freed by now is taken again, if it is there. Raises `OutOfStock`,
    `ReservationNotFound`, `ReservationReleased`.
    """
    found = _lock(session, order_id)
    if found is None:
        raise ReservationNotFound()
    if found.state == State.RELEASED:
        raise ReservationReleased()
    if found.state != State.COMMITTED:
        levels, lines = _lock_lines(session, order_id)
        changes = _retake(session, levels, [line for line in lines if not line.held], now)
        changes += reservations.commit(order_id, lines)
        ledger.apply(session, changes, now)
        _end(session, order_id, State.COMMITTED, now)
    return _answer(order_id, State.COMMITTED, found.expires_at)


def release(
    session: Session, order_id: UUID, reason: str, now: datetime.datetime
) -> dict[str, Any]:
    """Give back all that the order has, whether held or committed. A repeat changes nothing.

    An order that has nothing yet will get nothing: a `reserve` that comes later is refused.
    """
    found = _begin(session, order_id, State.RELEASED, None, now)
    if found is not None and found.state != State.RELEASED:
        _, lines = _lock_lines(session, order_id)
        changes = reservations.release(order_id, State(found.state), lines, reason)
        ledger.apply(session, changes, now)
        _end(session, order_id, State.RELEASED, now)
    return _answer(order_id, State.RELEASED, found and found.expires_at)


def sweep(session: Session, now: datetime.datetime, batch: int) -> int:
    """Free what up to `batch` expired reservations still hold; how many there were.

    Skips those that somebody is working on: other instances sweep too.
    """
    due = session.scalars(
        select(Reservation.order_id)
        .where(Reservation.state == State.RESERVED, Reservation.expires_at <= now)
        .order_by(Reservation.expires_at)
        .limit(batch)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
    if due:
        of_due = ReservationLine.order_id.in_(due)
        ledger.lock(
            session, session.scalars(select(ReservationLine.product_id).where(of_due)).all()
        )
        ledger.apply(session, ledger.expire_lines(session, of_due), now)
        session.execute(
            update(Reservation)
            .where(Reservation.order_id.in_(due))
            .values(state=State.EXPIRED, updated_at=now)
        )
    return len(due)


def _begin(
    session: Session,
    order_id: UUID,
    state: State,
    expires_at: datetime.datetime | None,
    now: datetime.datetime,
) -> Row[Any] | None:
    """Write the order's reservation, or lock the one that is there and return it.

    The unique row comes first: of two calls for one order, the second waits for the first here.
    """
    row = insert(Reservation).values(
        order_id=order_id, state=state, expires_at=expires_at, created_at=now, updated_at=now
    )
    if session.execute(row.on_conflict_do_nothing()).rowcount:
        return None
    return _lock(session, order_id)


def _lock(session: Session, order_id: UUID) -> Row[Any] | None:
    return session.execute(
        select(Reservation.state, Reservation.expires_at)
        .where(Reservation.order_id == order_id)
        .with_for_update(key_share=True)
    ).one_or_none()


def _lines(session: Session, order_id: UUID) -> list[Line]:
    rows = session.execute(
        select(
            ReservationLine.product_id,
            ReservationLine.quantity,
            ReservationLine.held_until.is_not(None),
        )
        .where(ReservationLine.order_id == order_id)
        .order_by(ReservationLine.product_id)
    )
    return [Line(*row) for row in rows]


def _lock_lines(session: Session, order_id: UUID) -> tuple[dict[int, Level], list[Line]]:
    """The order's lines with their stock locked. They are read again under the lock, because
    until then others may free those that expired."""
    levels = ledger.lock(session, [line.product_id for line in _lines(session, order_id)])
    return levels, _lines(session, order_id)


def _retake(
    session: Session, levels: dict[int, Level], lost: list[Line], now: datetime.datetime
) -> list[Change]:
    """Make sure that what the order no longer holds is there for it."""
    if not lost:
        return []
    of_lost = {line.product_id: levels[line.product_id] for line in lost}
    changes = ledger.free_expired(session, of_lost, now)
    reservations.check_enough(
        {line.product_id: line.quantity for line in lost},
        {product_id: level.available for product_id, level in of_lost.items()},
    )
    return changes


def _end(session: Session, order_id: UUID, state: State, now: datetime.datetime) -> None:
    """The order holds nothing any more."""
    session.execute(
        update(ReservationLine)
        .where(ReservationLine.order_id == order_id, ReservationLine.held_until.is_not(None))
        .values(held_until=None)
    )
    session.execute(
        update(Reservation)
        .where(Reservation.order_id == order_id)
        .values(state=state, updated_at=now)
    )


def _answer(order_id: UUID, state: State, expires_at: datetime.datetime | None) -> dict[str, Any]:
    return {"order_id": order_id, "state": state.value, "expires_at": expires_at}
