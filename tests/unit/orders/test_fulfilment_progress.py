"""How far the units of an order have come."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.errors import Invalid
from contracts.orders.enums import FulfilmentState, PaymentStatus, Status
from contracts.orders.errors import InvalidTransition, NothingLeftToShip
from orders.fulfilments import progress
from orders.fulfilments.progress import LineProgress
from orders.order import lifecycle
from orders.order.lifecycle import Party


def line(number=1, quantity=5, cancelled=0, shipped=0, packing=0):
    """A line of an order."""
    return LineProgress(number, 7, 5, "Kettle", quantity, cancelled, shipped, packing)


@st.composite
def lines(draw):
    """Lines of an order, whose units are anywhere."""
    made = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        parts = draw(st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any))
        cancelled, shipped, packing, _ = parts
        made.append(line(number, sum(parts), cancelled, shipped, packing))
    return made


@pytest.mark.parametrize(
    ("counters", "is_under_way", "status"),
    [
        ([{}], False, "processing"),
        ([{"packing": 5}], False, "processing"),
        ([{"shipped": 3}], True, "partially_shipped"),
        ([{"shipped": 3}], False, "partially_shipped"),
        ([{"shipped": 5}, {}], True, "partially_shipped"),
        ([{"shipped": 5}], True, "shipped"),
        ([{"shipped": 5}], False, "delivered"),
        ([{"shipped": 3, "cancelled": 2}], True, "shipped"),
        ([{"shipped": 3, "cancelled": 2}], False, "delivered"),
        ([{"shipped": 5}, {"cancelled": 5}], False, "delivered"),
        ([{"cancelled": 4}], False, "processing"),
        ([{"cancelled": 5}], False, "cancelled"),
    ],
)
def test_the_status_follows_the_units(counters, is_under_way, status):
    """What is cancelled does not keep an order from being shipped."""
    units = [line(number, **some) for number, some in enumerate(counters, 1)]
    assert progress.status(units, is_under_way) == status


@given(lines())
def test_whatever_is_left_can_be_taken_once(units):
    """All that is left is taken by asking for it or for everything; one more is refused."""
    left = {each.line: each.left for each in units if each.left}
    if not left:
        with pytest.raises(NothingLeftToShip):
            progress.take(units, None)
        return
    assert progress.take(units, None) == progress.take(units, left) == left
    number, some = next(iter(left.items()))
    with pytest.raises(NothingLeftToShip) as refused:
        progress.take(units, {number: some + 1})
    assert refused.value.data == {"lines": [{"line": number, "requested": some + 1, "left": some}]}


@given(lines(), st.booleans(), st.data())
def test_each_change_of_the_units_is_a_step_of_the_order(units, is_under_way, data):
    """Shipping, cancelling and delivering lead from one status to a later one that the table of
    transitions has."""
    before = progress.status(units, is_under_way)
    open_ones = [position for position, each in enumerate(units) if each.left]
    assume(open_ones)
    position = data.draw(st.sampled_from(open_ones))
    one = units[position]
    some = data.draw(st.integers(1, one.left))
    counter = data.draw(st.sampled_from(["shipped", "cancelled"]))
    later = list(units)
    later[position] = replace(one, **{counter: getattr(one, counter) + some})
    after = progress.status(later, is_under_way or counter == "shipped")
    if before != after and after != Status.CANCELLED:
        lifecycle.step(before, PaymentStatus.PAID, after, {Party.PARCELS})


def test_a_line_that_is_named_twice_counts_with_the_sum():
    """So that nobody gets more by asking in two lines."""
    items = [{"line": 2, "quantity": 1}, {"line": 1, "quantity": 3}, {"line": 2, "quantity": 4}]
    assert progress.merge(items) == {2: 5, 1: 3}
    with pytest.raises(NothingLeftToShip):
        progress.take([line(1), line(2, quantity=4)], progress.merge(items))


def test_a_line_that_is_not_there_is_named():
    """The caller learns which."""
    with pytest.raises(Invalid) as refused:
        progress.take([line(1)], {1: 1, 9: 1})
    assert refused.value.errors == {"items": ["The order has no line 9."]}


@pytest.mark.parametrize("source", FulfilmentState)
@pytest.mark.parametrize("target", FulfilmentState)
def test_the_life_of_a_parcel(source, target):
    """Packed, then sent, then there; taken apart only before it has left."""
    steps = {("packing", "shipped"), ("shipped", "delivered"), ("packing", "cancelled")}
    if (source, target) in steps:
        progress.check_step(source, target)
    else:
        with pytest.raises(InvalidTransition):
            progress.check_step(source, target)
