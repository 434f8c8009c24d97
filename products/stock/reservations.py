"""What an order's reservation may do next, and what that moves.

    (none) ──reserve──▶ reserved ──commit──▶ committed
       │                 │    ▲                 │
       │              expiry  reserve, commit   │
       │                 ▼    │                 │
       │                expired                 │
       └────release────────┴──────release───────┴──▶ released

`reserve` and `commit` of an expired reservation take the stock again, if there is enough.
Released is the end; an order that was released before it reserved anything stays released.

Plain rules: nothing here knows of a database. A quantity is *held* while it counts in
`stock.reserved`.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.errors import Invalid
from contracts.inventory.enums import MovementKind, ReservationState
from contracts.inventory.errors import OutOfStock, ReservationConflict, ReservationReleased

#: The most of one product that an order may hold.
MAX_QUANTITY = 10_000
#: The reasons of a promise, and of its end by payment.
PLACED, PAID = "order placed", "order paid"

#: What becomes of an order whose lines are all held, or all taken, by its state: the kind of the
#: movements, and what each unit adds to on_hand and reserved. Others: `commit` and `release`.
COMMITTED_WHOLE = {ReservationState.RESERVED: (MovementKind.COMMIT, -1, -1)}
RELEASED_WHOLE = {
    ReservationState.RESERVED: (MovementKind.RELEASE, 0, -1),
    ReservationState.COMMITTED: (MovementKind.RESTOCK, 1, 0),
}


@dataclass(frozen=True)
class Change:
    """One row of the ledger to be."""

    variant_id: int
    kind: MovementKind
    on_hand: int
    reserved: int
    reason: str
    order_id: UUID | None = None


@dataclass(frozen=True)
class Line:
    """What an order has of one product."""

    variant_id: int
    quantity: int
    held: bool


def merge(lines: Iterable[Mapping[str, int]]) -> dict[int, int]:
    """Quantity by product, in product order; a product in two lines counts once with their sum."""
    requested: dict[int, int] = {}
    for line in lines:
        variant_id = line["variant_id"]
        requested[variant_id] = requested.get(variant_id, 0) + line["quantity"]
    if any(quantity > MAX_QUANTITY for quantity in requested.values()):
        raise Invalid(errors={"lines": [f"At most {MAX_QUANTITY} of one product."]})
    return dict(sorted(requested.items()))


def may_hold(
    expires_at: datetime.datetime, now: datetime.datetime, longest: datetime.timedelta
) -> bool:
    """Whether the hold ends in the future, and not too far in it."""
    return now < expires_at <= now + longest


def check_hold(
    expires_at: datetime.datetime, now: datetime.datetime, longest: datetime.timedelta
) -> None:
    """Raise `Invalid` unless the hold may be that long."""
    if not may_hold(expires_at, now, longest):
        longest_hours = longest.total_seconds() / 3600
        raise Invalid(
            errors={"expires_at": [f"Must be in the future, by {longest_hours:g} h at most."]}
        )


def check_enough(requested: Mapping[int, int], available: Mapping[int, int]) -> None:
    """Raise `OutOfStock` with every line that `available` (by product; absent is 0) can't meet."""
    short: list[dict[str, Any]] = [
        {"variant_id": variant_id, "requested": quantity, "available": available.get(variant_id, 0)}
        for variant_id, quantity in requested.items()
        if quantity > available.get(variant_id, 0)
    ]
    if short:
        raise OutOfStock(lines=short)


def must_take(
    state: ReservationState,
    expires_at: datetime.datetime | None,
    earlier: Mapping[int, int],
    requested: Mapping[int, int],
    now: datetime.datetime,
) -> bool:
    """Whether a repeated `reserve` has to take its stock anew, its hold being over.

    Raises `ReservationReleased` after a release, `ReservationConflict` when the lines differ.
    """
    if state is ReservationState.RELEASED:
        raise ReservationReleased()
    if earlier != requested:
        raise ReservationConflict()
    if state is ReservationState.COMMITTED:
        return False
    return expires_at is None or expires_at <= now


def reserve(order_id: UUID, requested: Mapping[int, int]) -> list[Change]:
    """Promise the quantities."""
    return [
        Change(variant_id, MovementKind.RESERVE, 0, quantity, PLACED, order_id)
        for variant_id, quantity in requested.items()
    ]


def expire(order_id: UUID, variant_id: int, quantity: int) -> Change:
    """End a promise whose time is over."""
    return Change(variant_id, MovementKind.EXPIRE, 0, -quantity, "reservation expired", order_id)


def commit(order_id: UUID, lines: Iterable[Line]) -> list[Change]:
    """Take the quantities for good: held ones out of the promise, others from what is free."""
    return [
        Change(
            line.variant_id,
            MovementKind.COMMIT,
            -line.quantity,
            -line.quantity if line.held else 0,
            PAID,
            order_id,
        )
        for line in lines
    ]


def release(
    order_id: UUID, state: ReservationState, lines: Iterable[Line], reason: str
) -> list[Change]:
    """Give back what the order has: items return to the shelf, promises that still count end."""
    if state is ReservationState.COMMITTED:
        return [
            Change(line.variant_id, MovementKind.RESTOCK, line.quantity, 0, reason, order_id)
            for line in lines
        ]
    return [
        Change(line.variant_id, MovementKind.RELEASE, 0, -line.quantity, reason, order_id)
        for line in lines
        if line.held
    ]
