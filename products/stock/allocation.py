"""Which locations an order is shipped from.

Plain rules. The first location that has everything ships everything: one parcel. Where none has,
the one that has most of the units ships these, then the one that has most of the rest, and so on:
few parcels. `ranked` are the codes of the locations in the order in which they are preferred.
"""

from collections.abc import Mapping, Sequence

from products.stock.reservations import check_enough

#: A variant at a location.
Place = tuple[int, str]


def allocate(
    requested: Mapping[int, int], free: Mapping[Place, int], ranked: Sequence[str]
) -> dict[Place, int]:
    """How many of each variant come from which location, in the order of the places.

    `free` has how many can be promised at a place (absent is 0). Raises `OutOfStock` with every
    variant of which all locations together have fewer than `requested`.
    """
    check_enough(
        requested,
        {each: sum(free.get((each, code), 0) for code in ranked) for each in requested},
    )
    left, unused = dict(requested), list(ranked)
    allocated: dict[Place, int] = {}
    while left:
        code = max(unused, key=lambda code: _units(left, free, code))
        unused.remove(code)
        for variant_id, quantity in list(left.items()):
            taken = min(quantity, free.get((variant_id, code), 0))
            if taken:
                allocated[variant_id, code] = taken
            if taken == quantity:
                del left[variant_id]
            else:
                left[variant_id] -= taken
    return dict(sorted(allocated.items()))


def _units(left: Mapping[int, int], free: Mapping[Place, int], code: str) -> int:
    """How many of the units that are left the location has. Of equals `max` takes the first, so
    one that has everything is the first such."""
    return sum(min(quantity, free.get((each, code), 0)) for each, quantity in left.items())
