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
LINES = [Line(1, 2, held=True), Line(2, 5, held=False)]


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
    assert refused.value.errors == {"lines": ["At most 10000 of one product."]}


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
    assert reservations.expire(ORDER, 1, 2) == Change(
        1, MovementKind.EXPIRE, 0, -2, "reservation expired", ORDER
    )


def test_each_change_says_why_and_for_which_order():
    """In words that staff read in the ledger."""
    (reserved,) = reservations.reserve(ORDER, {1: 2})
    (committed,) = reservations.commit(ORDER, LINES[:1])
    (released,) = reservations.release(ORDER, ReservationState.RESERVED, LINES[:1], "no longer")
    assert [(change.reason, change.order_id) for change in (reserved, committed, released)] == [
        ("order placed", ORDER),
        ("order paid", ORDER),
        ("no longer", ORDER),
    ]


def test_commit_takes_held_and_lost_lines_from_the_shelf():
    """What is held leaves the promise too; what had expired comes from what is free."""
    changes = reservations.commit(ORDER, LINES)
    assert [(c.variant_id, c.kind, c.on_hand, c.reserved) for c in changes] == [
        (1, MovementKind.COMMIT, -2, -2),
        (2, MovementKind.COMMIT, -5, 0),
    ]


def test_release_frees_only_what_is_still_held():
    """A line that expired was freed then; freeing it twice would invent stock."""
    for state in (ReservationState.RESERVED, ReservationState.EXPIRED):
        changes = reservations.release(ORDER, state, LINES, "cancelled")
        assert [(c.variant_id, c.kind, c.on_hand, c.reserved) for c in changes] == [
            (1, MovementKind.RELEASE, 0, -2)
        ]


def test_release_of_a_paid_order_puts_it_back_on_the_shelf():
    """After the commit nothing is held: all lines return to on_hand."""
    changes = reservations.release(ORDER, ReservationState.COMMITTED, LINES, "cancelled")
    assert [(c.variant_id, c.kind, c.on_hand, c.reserved) for c in changes] == [
        (1, MovementKind.RESTOCK, 2, 0),
        (2, MovementKind.RESTOCK, 5, 0),
    ]


@given(st.dictionaries(st.integers(1, 9), st.integers(1, 50), min_size=1), st.booleans())
def test_what_is_taken_and_given_back_adds_up_to_nothing(wanted, paid):
    """However an order ends, reserve, commit and release leave the counters as they were."""
    changes = reservations.reserve(ORDER, wanted)
    held = [Line(variant_id, quantity, held=True) for variant_id, quantity in wanted.items()]
    if paid:
        changes += reservations.commit(ORDER, held)
        changes += reservations.release(ORDER, ReservationState.COMMITTED, held, "cancelled")
    else:
        changes += reservations.release(ORDER, ReservationState.RESERVED, held, "cancelled")
    for variant_id in wanted:
        of_product = [change for change in changes if change.variant_id == variant_id]
        assert sum(change.on_hand for change in of_product) == 0
        assert sum(change.reserved for change in of_product) == 0
