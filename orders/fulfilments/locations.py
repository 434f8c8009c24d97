"""Where the units of an order lie, and so which location a parcel can leave from.

Units are by variant. Inventory hears of parcels and of cancelled units a moment later than we know
of them, so both are taken off what it says that the order got.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.inventory.errors import NotHeld

#: Where all stock is in a shop that has set up no locations.
MAIN = "MAIN"

#: Units by location and variant; the locations in the order in which they are preferred.
Held = dict[str, dict[int, int]]
#: Units by location and variant in one.
Places = Mapping[tuple[str, int], int]


def held(allocation: Iterable[Mapping[str, Any]], in_parcels: Places, cancelled: Places) -> Held:
    """What of an order lies where: `allocation` is inventory's, which may not have heard of all
    that we have `cancelled`; `in_parcels` is what was taken from it."""
    there: Held = {}
    for each in allocation:
        location, variant_id = each["location"], each["variant_id"]
        place = location, variant_id
        gone = max(each["cancelled"], cancelled.get(place, 0)) + in_parcels.get(place, 0)
        there.setdefault(location, {})[variant_id] = max(each["quantity"] - gone, 0)
    return there


def choose(
    there: Held, location: str | None, wanted: Mapping[int, int], products: Mapping[int, int]
) -> str:
    """The location of a parcel with these units: the one that is named, else the first that has
    all of them. Raises `NotHeld`, which names the `products` of the variants. Where nothing is
    known, any will do."""
    if not there:
        return location or MAIN
    places = [*there] if location is None else [location]
    for place in places:
        if not _short(there, place, wanted, products):
            return place
    lines = [line for place in places for line in _short(there, place, wanted, products)]
    raise NotHeld(_where(there, wanted), lines=lines)


def split(there: Held, wanted: Mapping[int, int]) -> Held:
    """The units of one parcel for each location that is needed. What lies nowhere, for inventory
    has lost it, is to leave from the first."""
    parcels = _take(there, there, wanted)
    first = next(iter(there), MAIN)
    for variant_id, quantity in wanted.items():
        taken = sum(parcel.get(variant_id, 0) for parcel in parcels.values())
        if taken < quantity:
            parcel = parcels.setdefault(first, {})
            parcel[variant_id] = parcel.get(variant_id, 0) + quantity - taken
    return parcels


def give_back(there: Held, wanted: Mapping[int, int]) -> Held:
    """The units to be freed at each location, those at the last ones first. What lies nowhere is
    left out."""
    return _take(there, reversed(there), wanted)


def _take(there: Held, order: Iterable[str], wanted: Mapping[int, int]) -> Held:
    """The units of each location, which are asked in `order`."""
    taken: Held = {}
    left = dict(wanted)
    for place in order:
        for variant_id, quantity in there[place].items():
            if part := min(quantity, left.get(variant_id, 0)):
                taken.setdefault(place, {})[variant_id] = part
                left[variant_id] -= part
    return taken


def _where(there: Held, wanted: Mapping[int, int]) -> str:
    """A sentence about the places that hold any of these units."""
    holding = [place for place, units in there.items() if any(units.get(each) for each in wanted)]
    if not holding:
        return "No location holds any of these units for the order."
    return f"The order holds such units at {', '.join(holding)}; a parcel leaves from one location."


def _short(
    there: Held, place: str, wanted: Mapping[int, int], products: Mapping[int, int]
) -> list[dict[str, Any]]:
    units = there.get(place, {})
    return [
        {
            "variant_id": variant_id,
            "product_id": products[variant_id],
            "location": place,
            "requested": quantity,
            "held": units.get(variant_id, 0),
        }
        for variant_id, quantity in wanted.items()
        if quantity > units.get(variant_id, 0)
    ]
