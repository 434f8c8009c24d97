"""How far somebody who counts the shelves may change the stock."""

from chassis.errors import Invalid
from contracts.inventory.errors import StockReserved
from contracts.products.fields import MAX_ON_HAND


def adjusted(
    location: str, on_hand: int, reserved: int, delta: int | None, counted: int | None
) -> int:
    """The new on_hand of a location, from a difference or from what was counted.

    Raises `StockReserved` below what orders hold (or below nothing at all), `Invalid` when it is
    absurdly much.
    """
    new = on_hand + (delta or 0) if counted is None else counted
    if new > MAX_ON_HAND:
        field = "delta" if counted is None else "on_hand"
        raise Invalid(errors={field: [f"Would leave {new}; at most {MAX_ON_HAND} is possible."]})
    if new < reserved:
        raise StockReserved(
            f"{location} has {on_hand}, of which orders hold {reserved}. If it is another location"
            " where the stock has changed, name that (?location=).",
            location=location,
            on_hand=on_hand,
            reserved=reserved,
        )
    return new
