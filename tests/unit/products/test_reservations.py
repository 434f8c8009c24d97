"""What an order's reservation may do next."""

import datetime
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from contracts.inventory.enums import MovementKind, ReservationState
from contracts.inventory.errors import OutOfStock, ReservationConflict, ReservationReleased
from products.stock import reservations
from products.stock.reservations import Change, Line

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
ORDER = uuid.UUID(int=1)
PARCEL = uuid.UUID(int=2)


def lines():
    """One that is held, and one whose hold is over."""
    return [Line(1, "A", 2, held=True), Line(2, "A", 5)]


def rows(changes):
    return [(c.variant_id, c.location, c.kind, c.on_hand, c.reserved) for c in changes]


def test_merge_adds_up_a_product_that_comes_twice():
    """The same product in two lines is one demand, and demands come in the order of ids."""
    lines = [
        {"variant_id": 9, "quantity": 1},
        {"variant_id": 2, "quantity": 4},
        {"variant_id": 9, "quantity": 2},
    ]
    merged = reservations.merge(lines)
    assert list(merged.items()) == [(2, 4), (9, 3)]


def test_merge_bounds_the_sum():
    """Many lines of one product can't add up to more than one order may hold."""
    lines = [{"variant_id": 1, "quantity": 1000}] * 10
    assert reservations.merge(lines) == {1: 10_000}
    with pytest.raises(Invalid) as refused:
        reservations.merge([*lines, {"variant_id": 1, "quantity": 1}])
    assert refused.value.errors == {"lines": ["At most 10000 of one variant."]}


def test_all_short_lines_are_named():
    """Whoever asks for too much learns of every line at once, with what is left of each."""
    with pytest.raises(OutOfStock) as short:
        reservations.check_enough({1: 3, 2: 1, 3: 1}, {1: 2, 2: 1})
    assert short.value.data["lines"] == [
        {"variant_id": 1, "requested": 3, "available": 2},
        {"variant_id": 3, "requested": 1, "available": 0},
    ]


def test_the_last_unit_can_be_had():
    """Exactly what is available is enough, and more is, too."""
    reservations.check_enough({1: 3, 2: 3}, {1: 3, 2: 4})


@pytest.mark.parametrize(
    ("expires_at", "fine"),
    [
        (NOW, False),
        (NOW - MINUTE, False),
        (NOW + MINUTE, True),
        (NOW + 10 * MINUTE, True),
        (NOW + 11 * MINUTE, False),
    ],
)
def test_a_hold_ends_in_the_near_future(expires_at, fine):
    """A hold that is over before it begins, or lasts too long, is refused."""
    if fine:
        reservations.check_hold(expires_at, NOW, 10 * MINUTE)
    else:
        with pytest.raises(Invalid) as refused:
            reservations.check_hold(expires_at, NOW, 10 * MINUTE)
        assert list(refused.value.errors) == ["expires_at"]


def test_the_longest_hold_is_told():
    """In hours."""
    with pytest.raises(Invalid) as refused:
        reservations.check_hold(NOW, NOW, 90 * MINUTE)
    assert refused.value.errors["expires_at"] == ["Must be in the future, by 1.5 h at most."]


@pytest.mark.parametrize(
    ("state", "expires_at", "takes"),
    [
        (ReservationState.RESERVED, NOW + MINUTE, False),
        (ReservationState.RESERVED, NOW, True),  # to the moment, whether or not the sweeper came by
        (ReservationState.EXPIRED, NOW - MINUTE, True),
        (ReservationState.COMMITTED, NOW - MINUTE, False),
    ],
)
def test_a_repeat_takes_anew_only_what_has_expired(state, expires_at, takes):
    """The same reserve again does nothing while it holds, and once it is paid."""
    assert reservations.must_take(state, expires_at, {1: 2}, {1: 2}, NOW) is takes


@pytest.mark.parametrize(
    "state", [ReservationState.RESERVED, ReservationState.EXPIRED, ReservationState.COMMITTED]
)
def test_other_lines_under_the_same_order_are_refused(state):
    """An order's id stands for one set of lines."""
    with pytest.raises(ReservationConflict):
        reservations.must_take(state, NOW + MINUTE, {1: 2}, {1: 3}, NOW)


def test_nothing_is_reserved_after_a_release():
    """A reserve that arrives after its order was cancelled finds the tombstone, lines or not."""
    with pytest.raises(ReservationReleased):
        reservations.must_take(ReservationState.RELEASED, None, {}, {1: 2}, NOW)


def test_what_expires_is_no_longer_promised():
    """Nothing leaves the shelf."""
    assert reservations.expire(ORDER, 1, "A", 2) == Change(
        1, "A", MovementKind.EXPIRE, 0, -2, "reservation expired", ORDER
    )


def test_each_change_says_why_and_for_which_order():
    """In words that staff read in the ledger; what was shipped, for which parcel too."""
    (reserved,) = reservations.reserve(ORDER, {(1, "A"): 2})
    (released,) = reservations.release(ORDER, ReservationState.RESERVED, lines()[:1], "no longer")
    (shipped,), _ = reservations.ship(ORDER, lines(), "A", {1: 1}, {}, PARCEL)
    assert [(c.reason, c.order_id, c.cause_id) for c in (reserved, released, shipped)] == [
        ("order placed", ORDER, None),
        ("no longer", ORDER, None),
        ("shipped", ORDER, PARCEL),
    ]


@pytest.mark.parametrize("state", [ReservationState.RESERVED, ReservationState.EXPIRED])
def test_release_frees_only_what_is_still_held(state):
    """A line that expired was freed then; freeing it twice would invent stock."""
    changes = reservations.release(ORDER, state, lines(), "cancelled")
    assert rows(changes) == [(1, "A", MovementKind.RELEASE, 0, -2)]


def test_release_of_a_paid_order_gives_back_what_has_not_left():
    """What is shipped is gone, what was cancelled is free already."""
    line = Line(1, "A", 5, held=True, shipped=2, cancelled=1)
    changes = reservations.release(ORDER, ReservationState.COMMITTED, [line], "cancelled")
    assert rows(changes) == [(1, "A", MovementKind.RELEASE, 0, -2)]


def test_what_an_earlier_release_took_comes_back():
    """On the shelf when the order is cancelled; on the shelf and promised when it is to be
    shipped."""
    taken = [Line(1, "A", 2), Line(2, "A", 3, shipped=3)]
    changes = reservations.release(ORDER, ReservationState.COMMITTED, taken, "cancelled")
    assert rows(changes) == [(1, "A", MovementKind.RESTOCK, 2, 0)]
    changes = reservations.reopen(ORDER, ReservationState.COMMITTED, taken)
    assert rows(changes) == [(1, "A", MovementKind.REOPEN, 2, 2)]
    assert [line.held for line in taken] == [True, False]
    assert reservations.reopen(ORDER, ReservationState.COMMITTED, taken) == []
    assert reservations.reopen(ORDER, ReservationState.EXPIRED, lines()) == []


def test_what_is_shipped_leaves_the_shelf_and_the_promise():
    """So many of them; the rest stays promised."""
    held = [Line(1, "A", 5, held=True)]
    changes, lost = reservations.ship(ORDER, held, "A", {1: 3}, {1: 9}, PARCEL)
    assert rows(changes) == [(1, "A", MovementKind.SHIP, -3, -3)]
    assert (lost, held) == ({}, [Line(1, "A", 5, held=True, shipped=3)])
    changes, _ = reservations.ship(ORDER, held, "A", {1: 2}, {1: 9}, PARCEL)
    assert held == [Line(1, "A", 5, held=False, shipped=5)]


def test_a_parcel_from_another_place_takes_what_is_free_there():
    """The promise elsewhere ends. What is not free there is booked where it is promised: the order
    holds it, so it has left from somewhere."""
    held = [Line(1, "A", 5, held=True)]
    changes, lost = reservations.ship(ORDER, held, "B", {1: 4}, {1: 3}, PARCEL)
    assert rows(changes) == [
        (1, "A", MovementKind.RELEASE, 0, -3),
        (1, "B", MovementKind.RESERVE, 0, 3),
        (1, "B", MovementKind.SHIP, -3, -3),
        (1, "A", MovementKind.SHIP, -1, -1),
    ]
    assert lost == {}
    assert held == [Line(1, "A", 2, held=True, shipped=1), Line(1, "B", 3, shipped=3)]


def test_a_parcel_of_what_is_held_nowhere_takes_what_is_free():
    """And says what there is none of."""
    gone = [Line(1, "A", 5)]
    changes, lost = reservations.ship(ORDER, gone, "B", {1: 5}, {1: 2}, PARCEL)
    assert rows(changes) == [(1, "B", MovementKind.SHIP, -2, 0)]
    assert lost == {1: 3}
    assert gone == [Line(1, "A", 3), Line(1, "B", 2, shipped=2)]


def test_cancelled_units_are_free_again():
    """Those at the last locations first; never more than are still to leave."""
    held = [Line(1, "A", 2, held=True), Line(1, "B", 3, held=True, shipped=1)]
    changes = reservations.cancel(ORDER, held, {1: 3}, {}, PARCEL)
    assert rows(changes) == [
        (1, "B", MovementKind.RELEASE, 0, -2),
        (1, "A", MovementKind.RELEASE, 0, -1),
    ]
    assert [(line.open, line.held) for line in held] == [(1, True), (0, False)]
    assert rows(reservations.cancel(ORDER, held, {1: 3}, {}, PARCEL)) == [
        (1, "A", MovementKind.RELEASE, 0, -1)
    ]


def test_units_are_given_back_just_where_they_lay():
    """What is at the other place is in a parcel that has not left, even where too few are left."""
    held = [Line(1, "A", 3, held=True), Line(1, "B", 2, held=True)]
    changes = reservations.cancel(ORDER, held, {1: 2}, {(1, "A"): 2}, PARCEL)
    assert rows(changes) == [(1, "A", MovementKind.RELEASE, 0, -2)]
    changes = reservations.cancel(ORDER, held, {1: 2}, {(1, "A"): 2}, PARCEL)
    assert rows(changes) == [(1, "A", MovementKind.RELEASE, 0, -1)]
    assert held[1].open == 2


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ship", "cancel"]),
        st.sampled_from("AB"),
        st.dictionaries(st.integers(1, 3), st.integers(1, 20), min_size=1),
    ),
    max_size=6,
)


@given(
    st.dictionaries(
        st.tuples(st.integers(1, 3), st.sampled_from("AB")), st.integers(1, 20), min_size=1
    ),
    st.dictionaries(st.tuples(st.integers(1, 3), st.sampled_from("AB")), st.integers(0, 20)),
    STEPS,
)
def test_however_an_order_goes_its_parts_add_up(wanted, spare, steps):
    """Wherever parcels are said to leave from: what has left is what was shipped, at no place more
    leaves than was there, and when the order is over nothing is promised."""
    changes = reservations.reserve(ORDER, wanted)
    held = [Line(*place, quantity, held=True) for place, quantity in wanted.items()]
    ordered = reservations.quantities(held)
    shipped = dict.fromkeys(ordered, 0)
    there = {place: wanted.get(place, 0) + spare.get(place, 0) for place in {*wanted, *spare}}
    for what, location, units in steps:
        units = {each: n for each, n in units.items() if each in ordered}
        if what == "cancel":
            changes += reservations.cancel(ORDER, held, units, {}, PARCEL)
            continue
        left = reservations.quantities(held, open_only=True)
        units = {each: min(n, left[each]) for each, n in units.items() if left.get(each)}
        free = {
            each: there.get((each, location), 0)
            + sum(
                c.on_hand - c.reserved
                for c in changes
                if (c.variant_id, c.location) == (each, location)
            )
            for each in units
        }
        made, lost = reservations.ship(ORDER, held, location, units, free, PARCEL)
        changes += made
        assert lost == {}
        for each, quantity in units.items():
            shipped[each] += quantity
        assert reservations.quantities(held) == ordered
    changes += reservations.release(ORDER, ReservationState.COMMITTED, held, "over")
    for each, quantity in shipped.items():
        assert -sum(c.on_hand for c in changes if c.variant_id == each) == quantity
    for place in there:
        of_place = [c for c in changes if (c.variant_id, c.location) == place]
        on_hand, reserved = there[place], 0
        for change in of_place:
            on_hand, reserved = on_hand + change.on_hand, reserved + change.reserved
            assert 0 <= reserved <= on_hand
        assert reserved == 0
