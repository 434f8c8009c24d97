"""Parts add up to what they are of."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.division import share, upto

PLACES = st.sampled_from([0, 2, 3])


@st.composite
def amounts(draw):
    """An amount, and how many places it has."""
    places = draw(PLACES)
    return Decimal(draw(st.integers(0, 10**10))).scaleb(-places), places


WEIGHTS = st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=100)


@given(amounts(), WEIGHTS.filter(any))
def test_shares_add_up_and_are_fair(amount, weights):
    """Each is within one unit of its exact part, and nothing goes to what weighs nothing."""
    total, places = amount
    parts = share(total, weights, places)
    assert sum(parts) == total
    unit = Decimal(1).scaleb(-places)
    for part, weight in zip(parts, weights, strict=True):
        assert part == part.quantize(unit)
        assert abs(part - total * weight / sum(weights)) < unit
        assert weight or not part


@given(amounts(), WEIGHTS.filter(any))
def test_a_larger_remainder_or_the_lower_position_is_rounded_up(amount, weights):
    """So it is the same division each time, and nobody with the same weight and place before gets
    less."""
    total, places = amount
    parts = share(total, weights, places)
    for first, second in pairwise(range(len(parts))):
        if weights[first] == weights[second]:
            assert parts[first] >= parts[second]


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("3.57", ("29.97", "4.95", "0.74"), ("3.00", "0.50", "0.07")),
        ("6.74", ("26.97", "4.45", "0.67"), ("5.66", "0.94", "0.14")),
        ("0.01", (1, 1, 1), ("0.01", "0.00", "0.00")),
        ("0.02", (1, 1, 1), ("0.01", "0.01", "0.00")),
        ("100.00", (1, 1, 1), ("33.34", "33.33", "33.33")),
        ("5.00", (0, 1), ("0.00", "5.00")),
        ("0.00", (0, 0), ("0.00", "0.00")),
        ("0.00", (), ()),
    ],
)
def test_shares_worked_out_by_hand(total, weights, parts):
    assert [str(part) for part in share(Decimal(total), list(map(Decimal, weights)))] == list(parts)


@pytest.mark.parametrize(("total", "places", "parts"), [("10", 0, "4 3 3"), ("0.010", 3, None)])
def test_a_currency_has_its_own_places(total, places, parts):
    """The yen has none, the dinar three."""
    shares = share(Decimal(total), [1, 1, 1], places)
    assert [str(part) for part in shares] == (parts or "0.004 0.003 0.003").split()


@pytest.mark.parametrize(("total", "weights"), [("0.01", ()), ("0.01", (0, 0)), ("0.001", (1,))])
def test_what_cannot_be_divided(total, weights):
    """Nobody to give it to, or more places than the currency has."""
    with pytest.raises(ValueError, match=r"divide|places"):
        share(Decimal(total), list(map(Decimal, weights)))


@given(amounts(), st.integers(1, 1000), st.data())
def test_units_in_any_portions_are_worth_all(amount, n, data):
    """However many at a time: no cent is lost, and none is made."""
    total, places = amount
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=20)))
    steps = [0, *cuts, n]
    portions = [
        upto(total, after, n, places) - upto(total, before, n, places)
        for before, after in pairwise(steps)
    ]
    assert sum(portions) == total
    assert all(portion >= 0 for portion in portions)


@given(amounts(), st.integers(1, 1000), st.data())
def test_so_many_units_are_worth_their_part(amount, n, data):
    """Half a unit is rounded up."""
    total, places = amount
    k = data.draw(st.integers(0, n))
    scaled = int(total.scaleb(places))
    exact = Decimal(scaled * k * 2 // n) / 2  # in halves, rounded down: enough to round by
    assert upto(total, k, n, places).scaleb(places) == exact.quantize(1, ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("amount", "n", "units"),
    [
        ("32.63", 3, ("10.88", "10.87", "10.88")),
        ("5.66", 3, ("1.89", "1.88", "1.89")),
        ("0.81", 2, ("0.41", "0.40")),
        ("0.14", 2, ("0.07", "0.07")),
        ("198.00", 2, ("99.00", "99.00")),
        ("0.01", 3, ("0.00", "0.01", "0.00")),
    ],
)
def test_unit_by_unit_by_hand(amount, n, units):
    worth = [upto(Decimal(amount), k, n) for k in range(n + 1)]
    assert [str(b - a) for a, b in pairwise(worth)] == list(units)
