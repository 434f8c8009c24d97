"""How far the units of an order have come, and what that makes of the order.

quantity = cancelled + shipped + packing + left
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chassis.errors import Invalid
from contracts.orders.enums import FulfilmentState, Status
from contracts.orders.errors import InvalidTransition, NothingLeftToShip

#: A parcel that has left is not cancelled: it comes back as a return.
_STEPS = {
    (FulfilmentState.PACKING, FulfilmentState.SHIPPED),
    (FulfilmentState.PACKING, FulfilmentState.CANCELLED),
    (FulfilmentState.SHIPPED, FulfilmentState.DELIVERED),
}


@dataclass(frozen=True, slots=True)
class LineProgress:
    """A line of an order, and how many of its units are where."""

    line: int
    variant_id: int
    product_id: int
    name: str
    quantity: int
    cancelled: int
    shipped: int
    packing: int

    @property
    def left(self) -> int:
        """Units that can still be packed, or cancelled."""
        return self.quantity - self.cancelled - self.shipped - self.packing


def check_step(state: str, target: str) -> None:
    """Raise `InvalidTransition` unless a parcel that is `state` may become `target`."""
    if (state, target) not in _STEPS:
        raise InvalidTransition(f"A parcel that is {state} cannot become {target}.", state=state)


def check_changeable(state: str) -> None:
    """Raise `InvalidTransition` for a parcel of which nothing can be said any more."""
    if state == FulfilmentState.CANCELLED:
        raise InvalidTransition("A cancelled parcel cannot be changed.", state=state)


def merge(items: Iterable[Mapping[str, int]]) -> dict[int, int]:
    """Units by line; a line that is named twice counts with the sum."""
    merged: dict[int, int] = {}
    for item in items:
        merged[item["line"]] = merged.get(item["line"], 0) + item["quantity"]
    return merged


def take(lines: Sequence[LineProgress], items: Mapping[int, int] | None) -> dict[int, int]:
    """The units by line that `items` asks for, all that are left without; raises `Invalid` for a
    line that the order has not, `NothingLeftToShip` for more than there is."""
    left = {each.line: each.left for each in lines}
    taken = {line: units for line, units in left.items() if units} if items is None else dict(items)
    if unknown := sorted(taken.keys() - left.keys()):
        raise Invalid(errors={"items": [f"The order has no line {line}." for line in unknown]})
    short = [
        {"line": line, "requested": units, "left": left[line]}
        for line, units in taken.items()
        if units > left[line]
    ]
    if short or not taken:
        raise NothingLeftToShip(lines=short)
    return taken


def status(lines: Sequence[LineProgress], is_under_way: bool) -> Status:
    """The status of an order that is paid. `is_under_way`: a parcel of it has left and not
    arrived."""
    kept = sum(each.quantity - each.cancelled for each in lines)
    shipped = sum(each.shipped for each in lines)
    if not kept:
        return Status.CANCELLED
    if not shipped:
        return Status.PROCESSING
    if shipped < kept:
        return Status.PARTIALLY_SHIPPED
    return Status.SHIPPED if is_under_way else Status.DELIVERED
