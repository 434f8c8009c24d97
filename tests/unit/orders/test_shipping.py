"""Which zone, which methods, at which price."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.orders.errors import NoShipping, UnknownShippingMethod
from orders.shipping import rules
from orders.shipping.rules import Goods, Member, Method, Offer, Place

MAINLAND, ISLANDS, NORTH = (UUID(int=number) for number in (1, 2, 3))

CODES = st.text("019AZ", min_size=1, max_size=4)
PLACES = st.builds(
    Place,
    st.sampled_from(["NL", "GB"]),
    st.sampled_from([None, "NORTH", "SOUTH"]),
    st.none() | CODES,
)


@st.composite
def ranges(draw, country="NL"):
    first, last = sorted([draw(CODES), draw(CODES)])
    return Member(uuid4(), country, None, first, last)


@st.composite
def members(draw):
    country, rank = draw(st.sampled_from(["NL", "GB"])), draw(st.sampled_from([0, 1, 2]))
    if rank == 2:
        return draw(ranges(country))
    region = st.sampled_from(["NORTH", "SOUTH"])
    return Member(uuid4(), country, draw(region) if rank else None)


@st.composite
def zones(draw):
    """Members that do not overlap, as the database has them."""
    kept = []
    for member in draw(st.lists(members(), max_size=8)):
        if not any(rules.overlaps(member, one) for one in kept):
            kept.append(member)
    return kept


def method(code="standard", zone=MAINLAND, **fields):
    defaults = {
        "name": code.title(), "tax_class": "standard", "currency": "EUR", "price": Decimal("4.95"),
        "free_from": None, "min_weight_g": 0, "max_weight_g": None, "min_days": 1, "max_days": 3,
    }  # fmt: skip
    return Method(zone_id=zone, code=code, **defaults | fields)


def goods(price="20.00", weight_g=500, currency="EUR"):
    return Goods(Decimal(price), currency, weight_g)


def offer(*methods, **fields):
    known = {"currencies": frozenset({"EUR"}), "members": (Member(MAINLAND, "NL"),)}
    return Offer(**known | {"methods": methods} | fields)


NL = Place("NL")


@given(zones(), PLACES)
def test_what_says_most_of_an_address_decides(kept, place):
    """Whatever the order; and of each rank at most one member holds it."""
    holding = [member for member in kept if member.holds(place)]
    assert len({member.rank for member in holding}) == len(holding)
    best = max(holding, key=lambda member: member.rank, default=None)
    assert rules.zone_of(kept, place) == (best.zone_id if best else None)
    assert rules.zone_of(kept[::-1], place) == rules.zone_of(kept, place)


@given(members(), members(), PLACES)
def test_what_overlaps_is_what_an_address_could_be_in_twice(one, other, place):
    """By the same right; and it does not matter who is asked."""
    assert rules.overlaps(one, other) == rules.overlaps(other, one)
    if one.rank == other.rank and one.holds(place) and other.holds(place):
        assert rules.overlaps(one, other)


@given(ranges(), ranges())
def test_two_ranges_overlap_when_they_have_a_code_in_common(one, other):
    """That is the later of both beginnings, if any."""
    place = Place("NL", None, max(one.postal_from, other.postal_from))
    assert rules.overlaps(one, other) == (one.holds(place) and other.holds(place))


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ({"country": "GB", "postal_code": "sw1a 1aa", "region": "England"}, MAINLAND),
        ({"country": "GB", "postal_code": "BT1 5GS", "region": "Northern Ireland"}, ISLANDS),
        ({"country": "GB", "postal_code": "bt15gs"}, ISLANDS),
        ({"country": "GB", "postal_code": "HS8 5SS", "region": "scotland"}, ISLANDS),
        ({"country": "GB", "postal_code": "EH1 1YZ", "region": "SCOTLAND"}, NORTH),
        ({"country": "GB"}, MAINLAND),
        ({"country": "IE", "postal_code": "D02 AF30"}, None),
    ],
)
def test_postal_codes_before_regions_before_countries(address, zone):
    """However it is written."""
    kept = [
        replace(Member.of("GB"), zone_id=MAINLAND),
        replace(Member.of("GB", "Scotland"), zone_id=NORTH),
        replace(Member.of("GB", None, "BT", "BT"), zone_id=ISLANDS),
        replace(Member.of("GB", None, "HS1", "hs9"), zone_id=ISLANDS),
    ]
    assert rules.zone_of(kept, Place.of(address)) == zone


@pytest.mark.parametrize(("code", "holds"), [
    ("3499 ZZ", False), ("3500 AA", True), ("3511 AB", True), ("3599 ZZ", True), ("3600 AA", False),
])  # fmt: skip
def test_a_range_has_all_that_begins_with_its_ends(code, holds):
    """Both included."""
    member = Member.of("NL", None, "3500", "3599")
    assert member.holds(Place.of({"country": "NL", "postal_code": code})) == holds


@pytest.mark.parametrize(
    ("listed", "faults"),
    [
        ([("NL",), ("BE",)], {}),
        ([("NL",), ("NL", "Utrecht"), ("NL", None, "10", "19")], {}),
        ([("NL",), ("BE",), ("NL",)], {2: ["country"]}),
        ([("US", "CA"), ("US", "California")], {1: ["country"]}),
        ([("NL", None, "10", "19"), ("NL", None, "195", "20")], {1: ["country"]}),
        ([("NL", None, "20", "10")], {0: ["postal_to"]}),
        ([("NL", None, "1%", "2")], {0: ["postal_to"]}),
        ([("NL", None, "-", "-")], {0: ["postal_to"]}),
        ([("NL", "\u0301")], {0: ["region"]}),
    ],
)
def test_a_zone_says_each_thing_once(listed, faults):
    """And its ranges have something in them."""
    found = rules.faults_in_zone([Member.of(*one) for one in listed])
    assert {position: list(fields) for position, fields in found.items()} == faults


@given(
    st.decimals("0", "500", places=2),
    st.decimals("0", "500", places=2),
    st.none() | st.decimals("0", "500", places=2),
)
def test_it_is_free_from_its_limit_on(price, of_goods, free_from):
    """A cent below it costs all of it; the limit itself nothing."""
    costs = method(price=price, free_from=free_from).price_of(goods(of_goods))
    is_free = free_from is not None and of_goods >= free_from
    assert costs == (0 if is_free else price)
    assert costs.as_tuple().exponent == price.as_tuple().exponent


@given(st.integers(0, 50), st.integers(0, 50), st.none() | st.integers(0, 50))
def test_a_method_carries_what_is_within_its_weights(weight, least, most):
    """Both ends included; without an upper one whatever is heavy enough."""
    carrier = method(min_weight_g=least, max_weight_g=most)
    fits = least <= weight <= (weight if most is None else most)
    assert carrier.carries(goods(weight_g=weight)) == fits


def test_the_cheapest_comes_first():
    """Of those that carry it, in its currency, to its zone."""
    offered = offer(
        method("express", price=Decimal("9.95")),
        method("standard", free_from=Decimal("50.00")),
        method("letter", price=Decimal("1.10"), max_weight_g=100),
        method("dollars", currency="USD"),
        method("elsewhere", zone=ISLANDS),
    )

    def quoted(of_goods):
        found = rules.quotes(offered, NL, of_goods)
        return [(quote.method.code, str(quote.price)) for quote in found]

    assert quoted(goods()) == [("standard", "4.95"), ("express", "9.95")]
    assert quoted(goods(weight_g=100))[0] == ("letter", "1.10")
    assert quoted(goods("50.00")) == [("standard", "0.00"), ("express", "9.95")]
    assert quoted(goods(currency="USD")) == [("dollars", "4.95")]
    assert rules.quotes(offered, Place("BE"), goods()) == []


def test_a_shop_without_methods_asks_for_none():
    """And knows none."""
    assert rules.choose(Offer(), NL, goods(), None) is None
    with pytest.raises(UnknownShippingMethod):
        rules.choose(Offer(), NL, goods(), "standard")


def test_one_has_to_be_chosen_that_carries_the_goods():
    """The fault names them."""
    offered = offer(method("standard"), method("letter", max_weight_g=100))
    assert rules.choose(offered, NL, goods(), "standard").price == Decimal("4.95")
    assert rules.choose(offered, NL, goods(), None).method.code == "standard"
    with pytest.raises(UnknownShippingMethod) as unknown:
        rules.choose(offered, NL, goods(), "letter")
    assert unknown.value.data["methods"] == ["standard"]
    assert unknown.value.errors == {"shipping_method": ["Choose one of: standard."]}


def test_the_cheapest_is_chosen_for_who_chooses_none():
    """By what it costs for these goods."""
    offered = offer(method("standard", free_from=Decimal(50)), method("slow", price=Decimal(4)))
    assert rules.choose(offered, NL, goods("49.99"), None).method.code == "slow"
    assert rules.choose(offered, NL, goods("50.00"), None).method.code == "standard"


def test_what_is_sold_in_a_currency_without_methods_is_shipped_for_nothing():
    """And by no method."""
    assert rules.choose(offer(method()), NL, goods("1", 1, "USD"), None) is None
    with pytest.raises(UnknownShippingMethod):
        rules.choose(offer(method()), NL, goods("1", 1, "USD"), "standard")


@pytest.mark.parametrize("code", [None, "standard"])
def test_where_nothing_goes_nothing_is_ordered(code):
    """As soon as the shop ships somewhere: another country, goods too heavy."""
    heavy = offer(method(max_weight_g=100))
    for place, sent in ((Place("BE"), goods()), (NL, goods())):
        with pytest.raises(NoShipping):
            rules.choose(heavy, place, sent, code)
    with pytest.raises(NoShipping):
        rules.choose(Offer(frozenset({"EUR"})), NL, goods(), code)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, set()),
        ({"price": Decimal("4.50"), "currency": "JPY"}, {"price"}),
        ({"free_from": Decimal("0.50"), "price": Decimal(0), "currency": "JPY"}, {"free_from"}),
        ({"min_weight_g": 2, "max_weight_g": 1}, {"max_weight_g"}),
        ({"min_weight_g": 2, "max_weight_g": 2}, set()),
        ({"min_days": 3, "max_days": 2}, {"max_days"}),
        ({"min_days": None}, set()),
    ],
)
def test_a_method_is_sound_as_a_whole(changed, faults):
    """Prices that can be paid, and limits in order."""
    whole = {
        "price": Decimal("4.95"), "free_from": None, "currency": "EUR", "min_weight_g": 0,
        "max_weight_g": None, "min_days": 1, "max_days": 3,
    }  # fmt: skip
    assert set(rules.faults_in(whole | changed)) == faults
