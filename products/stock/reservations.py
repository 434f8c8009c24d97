"""What an order's reservation may do next, and what that moves.

    (none) ──reserve──▶ reserved ──commit──▶ committed
       │                 │    ▲                 │
       │              expiry  reserve, commit   │
       │                 ▼    │                 │
       │                expired                 │
       └────release────────┴──────release───────┴──▶ released

`reserve` and `commit` of an expired reservation take the stock again, if there is enough.
Released is the end; an order that was released before it reserved anything stays released.

A committed reservation holds what is still to be shipped, for good: `on_hand` goes down when it is
`ship`ped. Releases before took it off the books when the order was paid; a line of theirs is
committed and holds nothing, and is `reopen`ed before anything else is done to it.

Plain rules: nothing here knows of a database. A quantity is *held* while it counts in
`stock.reserved`.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.errors import Invalid
from contracts.inventory.enums import MovementKind, ReservationState
from contracts.inventory.errors import (
    NotHeld,
    OutOfStock,
    ReservationConflict,
    ReservationReleased,
)
from contracts.inventory.fields import MAX_QUANTITY

#: The reasons of a promise, of one that is made when the order was paid late, of one that is moved.
PLACED, PAID, RELOCATED = "order placed", "order paid", "shipped from another location"


@dataclass(frozen=True)
class Change:
    """One row of the ledger to be."""

    variant_id: int
    location: str
    kind: MovementKind
    on_hand: int
    reserved: int
    reason: str
    order_id: UUID | None = None
    cause_id: UUID | None = None


@dataclass
class Line:
    """What an order gets of one variant from a location."""

    variant_id: int
    location: str
    quantity: int
    held: bool = False
    shipped: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """How many are still to leave."""
        return self.quantity - self.shipped - self.cancelled

    @property
    def place(self) -> tuple[int, str]:
        return self.variant_id, self.location


def merge(lines: Iterable[Mapping[str, int]], most: int | None = MAX_QUANTITY) -> dict[int, int]:
    """Quantity by variant, in their order; a variant in two lines counts once with their sum."""
    requested: dict[int, int] = {}
    for line in lines:
        variant_id = line["variant_id"]
        requested[variant_id] = requested.get(variant_id, 0) + line["quantity"]
    if most is not None and any(quantity > most for quantity in requested.values()):
        raise Invalid(errors={"lines": [f"At most {most} of one variant."]})
    return dict(sorted(requested.items()))


def quantities(lines: Iterable[Line], *, open_only: bool = False) -> dict[int, int]:
    """Quantity by variant, in their order, of all locations; or of what is still to leave."""
    found: dict[int, int] = {}
    for line in lines:
        quantity = line.open if open_only else line.quantity
        found[line.variant_id] = found.get(line.variant_id, 0) + quantity
    return dict(sorted(found.items()))


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
    """Raise `OutOfStock` with every line that `available` (by variant; absent is 0) can't meet."""
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


def reserve(
    order_id: UUID, allocated: Mapping[tuple[int, str], int], reason: str = PLACED
) -> list[Change]:
    """Promise the quantities, by variant and location."""
    return [
        Change(*place, MovementKind.RESERVE, 0, quantity, reason, order_id)
        for place, quantity in allocated.items()
    ]


def expire(order_id: UUID, variant_id: int, location: str, quantity: int) -> Change:
    """End a promise whose time is over."""
    kind, reason = MovementKind.EXPIRE, "reservation expired"
    return Change(variant_id, location, kind, 0, -quantity, reason, order_id)


def release(
    order_id: UUID, state: ReservationState, lines: Iterable[Line], reason: str
) -> list[Change]:
    """Give back what has not left: promises that still count end. What an earlier release took off
    the books is back on the shelf."""
    changes = []
    for line in lines:
        if line.held:
            kind, reserved = MovementKind.RELEASE, -line.open
            changes.append(Change(*line.place, kind, 0, reserved, reason, order_id))
        elif state is ReservationState.COMMITTED and line.open:
            kind, on_hand = MovementKind.RESTOCK, line.open
            changes.append(Change(*line.place, kind, on_hand, 0, reason, order_id))
    return changes


def reopen(order_id: UUID, state: ReservationState, lines: Iterable[Line]) -> list[Change]:
    """Hold what a release before took off the books when the order was paid; changes `lines`."""
    changes = []
    for line in lines:
        if state is ReservationState.COMMITTED and line.open and not line.held:
            line.held = True
            kind, reason = MovementKind.REOPEN, "waits to be shipped"
            changes.append(Change(*line.place, kind, line.open, line.open, reason, order_id))
    return changes


def move_hold(
    order_id: UUID, lines: list[Line], source: Line, location: str, quantity: int
) -> list[Change]:
    """Hold so many units of a line at another location instead; changes `lines`."""
    target = line_at(lines, source.variant_id, location)
    source.quantity -= quantity
    source.held = source.open > 0
    target.quantity += quantity
    target.held = True
    return [
        Change(*source.place, MovementKind.RELEASE, 0, -quantity, RELOCATED, order_id),
        Change(*target.place, MovementKind.RESERVE, 0, quantity, RELOCATED, order_id),
    ]


def relocate(
    order_id: UUID, lines: list[Line], move: Mapping[str, Any], free: Mapping[int, int]
) -> list[Change]:
    """`move_hold` as somebody has asked for it: {variant_id, quantity, from_, to}, where so many
    are `free` there; changes `lines`. Raises `NotHeld`, `OutOfStock`."""
    variant_id, quantity = move["variant_id"], move["quantity"]
    source = next((one for one in lines if one.place == (variant_id, move["from_"])), None)
    held = source.open if source is not None and source.held else 0
    if source is None or held < quantity:
        short = {"variant_id": variant_id, "location": move["from_"], "requested": quantity}
        raise NotHeld(lines=[short | {"held": held}])
    if move["from_"] == move["to"]:
        return []
    check_enough({variant_id: quantity}, free)
    return move_hold(order_id, lines, source, move["to"], quantity)


def ship(
    order_id: UUID,
    lines: list[Line],
    location: str,
    units: Mapping[int, int],
    free: Mapping[int, int],
    fulfilment_id: UUID,
) -> tuple[list[Change], dict[int, int]]:
    """Book what has left in a parcel: `units` by variant, said to be from `location`, where so many
    are `free`; changes `lines`. Returns the changes, and the units that are nowhere to be booked.

    What the order holds there goes first. What it holds elsewhere is taken from what is free there
    instead, and else from where it is held: a parcel of units that an order holds is booked in any
    case. What the order holds nowhere, because its hold was lost, is taken from what is free.
    """
    changes: list[Change] = []
    shipped: dict[tuple[int, str], tuple[int, int]] = {}
    lost: dict[int, int] = {}
    for variant_id, quantity in sorted(units.items()):
        left, spare = quantity, free.get(variant_id, 0)
        for line in _held_lines(lines, variant_id, location):
            moved = 0
            if line.location != location:
                moved = min(left, line.open, spare)
            if moved:
                changes += move_hold(order_id, lines, line, location, moved)
                spare -= moved
                left -= _take(line_at(lines, variant_id, location), moved, shipped)
            left -= _take(line, min(left, line.open), shipped)
        left -= _take_unheld(lines, variant_id, location, min(left, spare), shipped)
        if left:
            lost[variant_id] = left
    lines[:] = [line for line in lines if line.quantity]
    kind, reason = MovementKind.SHIP, "shipped"
    changes += [
        Change(*place, kind, -on_hand, -reserved, reason, order_id, fulfilment_id)
        for place, (on_hand, reserved) in shipped.items()
    ]
    return changes, lost


def cancel(
    order_id: UUID,
    lines: Iterable[Line],
    units: Mapping[int, int],
    places: Mapping[tuple[int, str], int],
    cause_id: UUID,
) -> list[Change]:
    """Give back units, by variant, that will not be shipped; changes `lines`. Those of known
    `places`, by variant and location, are given back just there, for what is elsewhere may be in a
    parcel; of the others those at the last locations go first."""
    changes = []
    elsewhere = dict(units)
    for (variant_id, _), quantity in places.items():
        elsewhere[variant_id] = elsewhere.get(variant_id, 0) - quantity
    for line in sorted(lines, key=lambda line: line.location, reverse=True):
        here = min(places.get(line.place, 0), line.open)
        any_place = min(max(elsewhere.get(line.variant_id, 0), 0), line.open - here)
        if not (quantity := here + any_place):
            continue
        elsewhere[line.variant_id] -= any_place
        line.cancelled += quantity
        if line.held:
            kind, reason = MovementKind.RELEASE, "will not be shipped"
            change = Change(*line.place, kind, 0, -quantity, reason, order_id, cause_id)
            changes.append(change)
            line.held = line.open > 0
    return changes


def line_at(lines: list[Line], variant_id: int, location: str) -> Line:
    """The order's line of a variant at a location; a new one of nothing if there is none."""
    for line in lines:
        if line.place == (variant_id, location):
            return line
    lines.append(Line(variant_id, location, 0))
    return lines[-1]


def _held_lines(lines: Sequence[Line], variant_id: int, location: str) -> list[Line]:
    """The lines of a variant that hold something: the one at `location` first."""
    held = (line for line in lines if line.variant_id == variant_id and line.held)
    return sorted(held, key=lambda line: (line.location != location, line.location))


def _take(
    line: Line,
    quantity: int,
    shipped: dict[tuple[int, str], tuple[int, int]],
    *,
    held: bool = True,
) -> int:
    """Count so many units of a line as shipped; how many that are."""
    if quantity:
        line.shipped += quantity
        line.held = line.held and line.open > 0
        on_hand, reserved = shipped.get(line.place, (0, 0))
        shipped[line.place] = on_hand + quantity, reserved + quantity * held
    return quantity


def _take_unheld(
    lines: list[Line],
    variant_id: int,
    location: str,
    quantity: int,
    shipped: dict[tuple[int, str], tuple[int, int]],
) -> int:
    """Count so many units at a location as shipped, for those that are held nowhere any more."""
    moved = quantity
    for line in lines:
        if line.variant_id == variant_id and not line.held:
            gone = min(moved, line.open)
            line.quantity -= gone
            moved -= gone
    if quantity:
        line_at(lines, variant_id, location).quantity += quantity
    return _take(line_at(lines, variant_id, location), quantity, shipped, held=False)
