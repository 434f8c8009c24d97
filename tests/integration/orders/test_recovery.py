"""What a crash or time leaves behind, and how it ends.

A crash is an error that nothing handles, raised right before the step that the test names: the
transaction of that moment is rolled back and no later step runs.
"""

import contextlib

import pytest

from chassis.errors import Fault
from chassis.messages import AlreadyHandled
from chassis.steps import Step
from orders.checkout import commands as checkout_commands
from orders.checkout import store as checkout_store
from orders.order import transitions
from orders.payment import commands as payment_commands
from orders.payment import finishing
from orders.payment import store as payment_store
from products.service import InventoryService
from tests.integration.orders.world import crash


def crashes(function, *args, **kwargs):
    """Call what is going to crash; what it answers, if it still does, says nothing."""
    with contextlib.suppress(Fault):
        function(*args, **kwargs)


@pytest.fixture
def crash_in(at, before):
    """`crash_in(step)`, or in the transaction after it: right before a function of a module."""

    def arm(place):
        if isinstance(place, Step):
            at(place, crash)
        else:
            before(*place, crash)

    return arm


CHECKOUT_CRASHES = [
    (checkout_store, "enter"),
    checkout_commands.ENTERED,
    checkout_commands.RESERVED,
    (checkout_store, "complete"),
]


@pytest.mark.parametrize("where", CHECKOUT_CRASHES)
def test_a_crashed_checkout_is_undone(
    place, product, crash_in, clock, stock, sql, eventually, where
):
    """Wherever it died: no order, and its stock is free again soon."""
    kettle = product(stock=1)
    crash_in(where)
    crashes(place, (kettle, 1))
    clock.advance(seconds=61)
    eventually(lambda: not sql("orders", "SELECT * FROM checkouts"))
    assert eventually(lambda: stock(kettle) == (1, 0))
    assert sql("orders", "SELECT * FROM orders") == []


@pytest.mark.parametrize("where", CHECKOUT_CRASHES)
def test_a_crashed_checkout_is_finished_by_its_repeat(place, product, crash_in, stock, sql, where):
    """The same request with the same key takes it up where it stands."""
    kettle = product(stock=1)
    crash_in(where)
    crashes(place, (kettle, 1), key="again")
    order = place((kettle, 1), key="again")
    assert order["status"] == "pending"
    assert stock(kettle) == (1, 1)
    assert place((kettle, 1), key="again")["id"] == order["id"]
    assert len(sql("products", "SELECT * FROM reservations")) == 1


def test_a_repeat_after_the_checkout_was_undone_starts_over(
    place, product, at, clock, stock, sql, eventually
):
    """The key is not used up by what became nothing."""
    kettle = product(stock=1)
    at(checkout_commands.RESERVED, crash)
    crashes(place, (kettle, 1), key="again")
    clock.advance(seconds=61)
    eventually(lambda: not sql("orders", "SELECT * FROM checkouts"))
    assert place((kettle, 1), key="again")["status"] == "pending"
    assert stock(kettle) == (1, 1)


def test_a_checkout_that_is_undone_meanwhile_makes_no_order(
    place, product, at, clock, stock, sql, eventually
):
    """Paused for too long between stock and order: the sweep was faster, so there is no order."""
    kettle = product(stock=1)

    def long_pause():
        clock.advance(seconds=61)
        eventually(lambda: not sql("orders", "SELECT * FROM checkouts"))

    at(checkout_commands.RESERVED, long_pause)
    with pytest.raises(Fault) as interrupted:
        place((kettle, 1))
    assert (interrupted.value.status, interrupted.value.code) == (503, "checkout_interrupted")
    assert sql("orders", "SELECT * FROM orders") == []
    assert stock(kettle) == (1, 0)


EVERY_PAYMENT = [payment_commands.CHARGED, (payment_store, "conclude"), finishing.CONCLUDED]
BRIEF_HOLD = [
    payment_commands.CHARGED,
    finishing.ATTACHED,
    finishing.COMMITTED,
    (transitions, "move"),
    finishing.CONCLUDED,
]


@pytest.mark.parametrize(
    ("where", "is_brief"),
    [*((where, False) for where in EVERY_PAYMENT), *((where, True) for where in BRIEF_HOLD)],
)
def test_money_that_came_before_a_crash_finishes_the_order(
    place, pay, product, crash_in, stock, state, held, eventually, told, brief, where, is_brief
):
    """The event of the payment brings the order to its end, from wherever it stood."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    if is_brief:
        brief(order)
    crash_in(where)
    crashes(pay, order)
    assert eventually(lambda: state(order) == ("processing", "paid"))
    assert eventually(lambda: (held(order), stock(kettle)) == ("committed", (1, 1)))
    assert [event for event, _ in told(order)] == ["order_placed", "order_paid"]


def test_the_sweep_finishes_what_no_event_told(
    place, pay, product, clock, state, sql, eventually, monkeypatch
):
    """The process died after the charge, and the event is lost as well: payments is asked."""
    order = place((product(), 1))
    finish, told = finishing.finish, []

    def only_by_the_sweep(context, payment, begin=None, order=None):
        told.append(payment)
        if len(told) <= 2:  # the answer of the charge, and its event
            raise crash() if begin is None else AlreadyHandled
        finish(context, payment, begin)

    monkeypatch.setattr(finishing, "finish", only_by_the_sweep)
    crashes(pay, order)
    eventually(lambda: len(told) == 2)
    assert state(order) == ("pending", "unpaid")
    clock.advance(seconds=16)
    assert eventually(lambda: state(order) == ("processing", "paid"))
    assert sql("orders", "SELECT paying_since, recheck_at FROM orders") == [
        {"paying_since": None, "recheck_at": None}
    ]


def test_a_payment_that_never_began_is_forgotten(
    place, pay, product, at, clock, sql, eventually, state
):
    """The process died before it called payments: the order is open for another try."""
    order = place((product(), 1))
    at(payment_commands.STARTED, crash)
    crashes(pay, order)
    paying = "SELECT paying_since IS NOT NULL AS paying FROM orders"
    assert sql("orders", paying) == [{"paying": True}]
    clock.advance(seconds=16)
    eventually(lambda: sql("orders", paying) == [{"paying": False}])
    assert state(order) == ("pending", "unpaid")
    assert pay(order)["status"] == "succeeded"


def test_a_failed_round_of_recovery_is_not_the_last(
    place, product, at, before, clock, stock, sql, eventually
):
    """Inventory is away when a checkout is to be undone: the next round does it."""
    kettle = product(stock=1)
    at(checkout_commands.RESERVED, crash)
    crashes(place, (kettle, 1))

    def away():
        raise ConnectionError

    before(InventoryService, "release", away)
    clock.advance(seconds=61)
    eventually(lambda: sql("orders", "SELECT state FROM checkouts") == [{"state": "undoing"}])
    clock.advance(seconds=11)
    assert eventually(lambda: stock(kettle) == (1, 0))


def test_a_checkout_without_inventory_holds_nothing_later(
    place, product, running, start, stock, sql, eventually
):
    """Whether inventory got the request is unknown, so it is told to release it when it is back;
    a request with a key waits for its repeat instead, and then succeeds."""
    kettle = product(stock=1)
    running["inventory"].stop()
    for request in ({}, {"key": "again"}):
        with pytest.raises(Fault) as away:
            place((kettle, 1), **request)
        assert away.value.status in (503, 504)
    start(InventoryService)
    eventually(lambda: len(sql("orders", "SELECT * FROM checkouts")) == 1)
    assert stock(kettle) == (1, 0)
    assert place((kettle, 1), key="again")["status"] == "pending"
    assert stock(kettle) == (1, 1)
