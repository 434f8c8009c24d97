"""Which location a parcel leaves from."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.inventory.errors import NotHeld
from orders.fulfilments import locations

PRODUCTS = {7: 5, 8: 6}

units = st.dictionaries(st.integers(1, 4), st.integers(1, 5), min_size=1)
places = st.dictionaries(st.sampled_from(["AMS", "BER", "MAIN"]), units)


def line(location, variant_id, quantity, cancelled=0):
    """What inventory says of a variant at a location."""
    return {
        "location": location,
        "variant_id": variant_id,
        "quantity": quantity,
        "shipped": 0,
        "cancelled": cancelled,
    }


def test_what_is_in_parcels_is_not_held_any_more():
    """Whether or not inventory has heard that it has left; nor is what is cancelled, of which it
    may not have heard either."""
    said = [line("AMS", 7, 5, cancelled=1), line("BER", 7, 2), line("BER", 8, 1)]
    there = locations.held(said, {("AMS", 7): 3, ("BER", 8): 2}, {("BER", 7): 1})
    assert there == {"AMS": {7: 1}, "BER": {7: 1, 8: 0}}
    assert locations.held([line("AMS", 7, 5, cancelled=1)], {}, {("AMS", 7): 1}) == {"AMS": {7: 4}}


def test_a_parcel_leaves_from_where_all_of_it_lies():
    """From the first such place; a place that is named has to have all of it."""
    there = {"AMS": {7: 3}, "BER": {7: 5, 8: 1}}
    assert locations.choose(there, None, {7: 2}, PRODUCTS) == "AMS"
    assert locations.choose(there, None, {7: 4}, PRODUCTS) == "BER"
    assert locations.choose(there, None, {7: 2, 8: 1}, PRODUCTS) == "BER"
    assert locations.choose(there, "BER", {7: 2}, PRODUCTS) == "BER"
    with pytest.raises(NotHeld) as refused:
        locations.choose(there, "AMS", {7: 4, 8: 1}, PRODUCTS)
    assert refused.value.data["lines"] == [
        {"variant_id": 7, "product_id": 5, "location": "AMS", "requested": 4, "held": 3},
        {"variant_id": 8, "product_id": 6, "location": "AMS", "requested": 1, "held": 0},
    ]
    with pytest.raises(NotHeld) as refused:
        locations.choose(there, None, {7: 8}, PRODUCTS)
    assert [one["location"] for one in refused.value.data["lines"]] == ["AMS", "BER"]


@pytest.mark.parametrize("location", ["nowhere", "ams", None])
def test_who_names_the_wrong_place_is_told_the_right_ones(location):
    """Those that hold any of the units, whether all of them or not."""
    there = {"AMS": {7: 3, 8: 0}, "BER": {7: 5, 8: 0}, "MAIN": {8: 0, 9: 1}}
    with pytest.raises(NotHeld) as refused:
        locations.choose(there, location, {7: 6, 8: 1}, PRODUCTS)
    assert "at AMS, BER;" in refused.value.detail
    with pytest.raises(NotHeld) as refused:
        locations.choose(there, location, {8: 1}, PRODUCTS)
    assert refused.value.detail == "No location holds any of these units for the order."


def test_where_nothing_is_known_any_place_will_do():
    """Inventory has no reservation of it."""
    assert locations.choose({}, None, {7: 1}, PRODUCTS) == "MAIN"
    assert locations.choose({}, "AMS", {7: 1}, PRODUCTS) == "AMS"


def test_units_are_given_back_where_they_lie_the_last_places_first():
    """Of what lies nowhere there is nothing to give back."""
    there = {"AMS": {7: 3}, "BER": {7: 1, 8: 0}}
    assert locations.give_back(there, {7: 2, 8: 1}) == {"BER": {7: 1}, "AMS": {7: 1}}


@given(places, units)
def test_what_is_left_is_divided_among_the_places(there, wanted):
    """All of it leaves, from each place no more than lies there; only what lies nowhere is added
    at the first."""
    parcels = locations.split(there, wanted)
    sent = sum((Counter(parcel) for parcel in parcels.values()), Counter())
    assert sent == Counter(wanted)
    assert all(all(parcel.values()) for parcel in parcels.values())
    everywhere = sum((Counter(parcel) for parcel in there.values()), Counter())
    for place, parcel in parcels.items():
        missing = Counter(wanted) - everywhere if place == next(iter(there), "MAIN") else Counter()
        assert not Counter(parcel) - Counter(there.get(place, {})) - missing
