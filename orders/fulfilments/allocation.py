"""Where the units of an order lie, and so which location a parcel can leave from.

Units are by variant. Inventory hears of parcels a moment later than we know of them, so what is in
them is taken off what it says that the order holds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.inventory.errors import NotHeld

#: Where all stock is in a shop that has set up no locations.
MAIN = "MAIN"

#: Units by location and variant; the locations in the order in which they are preferred.
Held = dict[str, dict[int, int]]


def held(
    allocation: Iterable[Mapping[str, Any]], in_parcels: Mapping[tuple[str, int], int]
) -> Held:
    """What of an order lies where: `allocation` is inventory's, `in_parcels` what was taken from
    it, by location and variant."""
    there: Held = {}
    for each in allocation:
        location, variant_id = each["location"], each["variant_id"]
        left = each["quantity"] - each["cancelled"] - in_parcels.get((location, variant_id), 0)
        there.setdefault(location, {})[variant_id] = max(left, 0)
    return there


def choose(there: Held, location: str | None, wanted: Mapping[int, int]) -> str:
    """The location of a parcel with these units: the one that is named, else the first that has
    all of them. Raises `NotHeld`. Where nothing is known, any will do."""
    if not there:
        return location or MAIN
    places = [*there] if location is None else [location]
    for place in places:
        if not _short(there, place, wanted):
            return place
    lines = [line for place in places for line in _short(there, place, wanted)]
    raise NotHeld(_where(there, wanted), lines=lines)


def split(there: Held, wanted: Mapping[int, int]) -> Held:
    """The units of one parcel for each location that is needed. What lies nowhere, for inventory
    has lost it, is to leave from the first."""
    parcels: Held = {}
    left = dict(wanted)
    for place, units in there.items():
        for variant_id, quantity in units.items():
            if part := min(quantity, left.get(variant_id, 0)):
                parcels.setdefault(place, {})[variant_id] = part
                left[variant_id] -= part
    first = next(iter(there), MAIN)
    for variant_id, quantity in left.items():
        if quantity:
            parcel = parcels.setdefault(first, {})
            parcel[variant_id] = parcel.get(variant_id, 0) + quantity
    return parcels


def _where(there: Held, wanted: Mapping[int, int]) -> str:
    """A sentence about the places that hold any of these units."""
    holding = [place for place, units in there.items() if any(units.get(each) for each in wanted)]
    if not holding:
        return "No location holds any of these units for the order."
    return f"The order holds such units at {', '.join(holding)}; a parcel leaves from one location."


def _short(there: Held, place: str, wanted: Mapping[int, int]) -> list[dict[str, Any]]:
    units = there.get(place, {})
    return [
        {
            "variant_id": variant_id,
            "location": place,
            "requested": quantity,
            "held": units.get(variant_id, 0),
        }
        for variant_id, quantity in wanted.items()
        if quantity > units.get(variant_id, 0)
    ]
