"""How far the stock may be changed by hand."""

import pytest

from chassis.errors import Invalid
from contracts.inventory.errors import StockReserved
from contracts.products.fields import MAX_ON_HAND
from products.stock.adjustment import adjusted


@pytest.mark.parametrize(
    ("delta", "counted", "expected"),
    [(-3, None, 7), (5, None, 15), (0, None, 10), (None, 4, 4), (None, 40, 40),
     (9_999_990, None, 10_000_000), (None, 10_000_000, 10_000_000)],
)  # fmt: skip
def test_by_difference_or_by_count(delta, counted, expected):
    """A delta adds up, a count replaces; up to ten million."""
    assert adjusted("MAIN", 10, 4, delta, counted) == expected


@pytest.mark.parametrize(("delta", "counted"), [(-7, None), (None, 3), (-100, None)])
def test_never_below_what_orders_hold(delta, counted):
    """What is promised must stay, and the caller learns how much that is."""
    with pytest.raises(StockReserved) as refused:
        adjusted("MAIN", 10, 4, delta, counted)
    assert refused.value.data == {"location": "MAIN", "on_hand": 10, "reserved": 4}
    assert refused.value.code == "stock_reserved"


def test_never_below_nothing():
    """Stock is not negative, reserved or not."""
    with pytest.raises(StockReserved):
        adjusted("MAIN", 2, 0, -3, None)


@pytest.mark.parametrize(("delta", "field"), [(1, "delta"), (None, "on_hand")])
def test_never_absurdly_much(delta, field):
    """The bound is told under the name that the caller used."""
    with pytest.raises(Invalid) as refused:
        adjusted("MAIN", MAX_ON_HAND, 0, delta, None if delta else MAX_ON_HAND + 1)
    assert list(refused.value.errors) == [field]
