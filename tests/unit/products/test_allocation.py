"""Which locations an order is shipped from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.inventory.errors import OutOfStock
from products.stock.allocation import allocate


@pytest.mark.parametrize(
    ("requested", "free", "allocated"),
    [
        ({1: 13}, {(1, "A"): 10, (1, "B"): 15}, {(1, "B"): 13}),
        ({1: 10}, {(1, "A"): 10, (1, "B"): 15}, {(1, "A"): 10}),
        ({1: 13}, {(1, "A"): 10, (1, "B"): 5}, {(1, "A"): 10, (1, "B"): 3}),
        ({1: 25}, {(1, "A"): 10, (1, "B"): 15}, {(1, "A"): 10, (1, "B"): 15}),
        # One parcel of both, though A has more of the first.
        ({1: 2, 2: 1}, {(1, "A"): 9, (1, "B"): 2, (2, "B"): 1}, {(1, "B"): 2, (2, "B"): 1}),
        # The fewest parcels: B and C have it together, A has the least.
        (
            {1: 4, 2: 4},
            {(1, "A"): 1, (1, "B"): 4, (2, "A"): 1, (2, "C"): 4},
            {(1, "B"): 4, (2, "C"): 4},
        ),
    ],
)
def test_one_location_or_few(requested, free, allocated):
    """The first that has everything; else those that have the most."""
    assert allocate(requested, free, ["A", "B", "C"]) == allocated


def test_the_order_of_the_locations_decides_between_equals():
    """As it is given: by country and priority."""
    free = {(1, "A"): 5, (1, "B"): 5}
    assert allocate({1: 5}, free, ["B", "A"]) == {(1, "B"): 5}
    assert allocate({1: 7}, free, ["B", "A"]) == {(1, "A"): 2, (1, "B"): 5}


def test_all_short_variants_are_named():
    """With what all locations have of them together; what is elsewhere does not count."""
    with pytest.raises(OutOfStock) as short:
        allocate(
            {1: 3, 2: 1, 3: 9}, {(1, "A"): 1, (1, "B"): 1, (2, "C"): 5, (3, "A"): 9}, ["A", "B"]
        )
    assert short.value.data["lines"] == [
        {"variant_id": 1, "requested": 3, "available": 2},
        {"variant_id": 2, "requested": 1, "available": 0},
    ]


PLACES = st.tuples(st.integers(1, 4), st.sampled_from("ABCD"))


@given(
    st.dictionaries(st.integers(1, 4), st.integers(1, 30), min_size=1),
    st.dictionaries(PLACES, st.integers(0, 30)),
    st.permutations("ABC"),
)
def test_exactly_what_is_wanted_and_nowhere_more_than_is_free(requested, free, ranked):
    """All of it or nothing; one parcel whenever one location can; none that is not needed of a
    single variant; and from no location that is not in the list."""
    total = {each: sum(free.get((each, code), 0) for code in ranked) for each in requested}
    if any(quantity > total[each] for each, quantity in requested.items()):
        with pytest.raises(OutOfStock):
            allocate(requested, free, ranked)
        return
    allocated = allocate(requested, free, ranked)
    for each, quantity in requested.items():
        assert sum(n for (one, _), n in allocated.items() if one == each) == quantity
    assert all(0 < n <= free[place] and place[1] in ranked for place, n in allocated.items())
    used = {code for _, code in allocated}
    whole = [c for c in ranked if all(free.get((v, c), 0) >= n for v, n in requested.items())]
    if whole:
        assert used == {whole[0]}
    if len(requested) == 1:
        (quantity,) = requested.values()
        largest = sorted((n for (v, c), n in free.items() if v in requested and c in ranked))
        assert sum(largest[len(largest) - len(used) + 1 :]) < quantity
