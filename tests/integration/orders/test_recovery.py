"""What a crash or time leaves behind, and how it ends.

A crash is an error that nothing handles, raised right before the step that the test names: the
transaction of that moment is rolled back and no later step runs.
"""

import contextlib
import uuid

import eventlet
import pytest

from chassis.errors import Fault
from chassis.events.message import AlreadyHandled
from orders import attempts, changes, checkout, recovery, settlement
from orders.service import OrdersService
from tests.integration.events import publish
from tests.integration.orders.conftest import crash


def crashes(function, *args, **kwargs):
    """Call what is going to crash; what it answers, if it still does, says nothing."""
    with contextlib.suppress(Fault):
        function(*args, **kwargs)


CHECKOUT_CRASHES = [
    (attempts, "begin"),
    (checkout, "_reserve"),
    (checkout, "_finalize"),
    (checkout, "_write"),
    (attempts, "drop"),
]


@pytest.mark.parametrize(("module", "step"), CHECKOUT_CRASHES)
def test_a_crashed_checkout_is_undone(
    place, product, before, clock, stock, sql, eventually, module, step
):
    """Whatever step it died before: no order, and its stock is free again soon."""
    kettle = product(stock=1)
    before(module, step, crash)
    crashes(place, (kettle, 1))
    clock.advance(seconds=61)
    eventually(lambda: not sql("orders", "SELECT * FROM checkouts"))
    assert eventually(lambda: stock(kettle) == (1, 0))
    assert sql("orders", "SELECT * FROM orders") == []


@pytest.mark.parametrize(("module", "step"), CHECKOUT_CRASHES)
def test_a_crashed_checkout_is_finished_by_its_repeat(
    place, product, before, stock, sql, module, step
):
    """The same request with the same key takes it up where it stands."""
    kettle = product(stock=1)
    before(module, step, crash)
    crashes(place, (kettle, 1), key="again")
    order = place((kettle, 1), key="again")
    assert order["status"] == "pending"
    assert stock(kettle) == (1, 1)
    assert place((kettle, 1), key="again")["id"] == order["id"]
    assert len(sql("products", "SELECT * FROM reservations")) == 1


def test_a_repeat_after_the_checkout_was_undone_starts_over(
    place, product, before, clock, stock, sql, eventually
):
    """The key is not used up by what became nothing."""
    kettle = product(stock=1)
    before(checkout, "_finalize", crash)
    crashes(place, (kettle, 1), key="again")
    clock.advance(seconds=61)
    eventually(lambda: not sql("orders", "SELECT * FROM checkouts"))
    assert place((kettle, 1), key="again")["status"] == "pending"
    assert stock(kettle) == (1, 1)


def test_a_checkout_that_is_undone_meanwhile_makes_no_order(
    place, product, before, clock, stock, sql, eventually
):
    """Paused for too long between stock and order: the sweep was faster, so there is no order."""
    kettle = product(stock=1)

    def long_pause():
        clock.advance(seconds=61)
        eventually(lambda: not sql("orders", "SELECT * FROM checkouts"))

    before(checkout, "_finalize", long_pause)
    with pytest.raises(Fault) as interrupted:
        place((kettle, 1))
    assert (interrupted.value.status, interrupted.value.code) == (503, "checkout_interrupted")
    assert sql("orders", "SELECT * FROM orders") == []
    assert stock(kettle) == (1, 0)


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (settlement, "finish"),
        (settlement, "_claim"),
        (settlement, "_commit_stock"),
        (settlement, "_conclude"),
        (settlement, "_book"),
        (changes, "move"),
    ],
)
def test_money_that_came_before_a_crash_finishes_the_order(
    place, pay, product, before, stock, state, eventually, told, module, step
):
    """The event of the payment brings the order to its end, from wherever it stood."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    before(module, step, crash)
    crashes(pay, order)
    assert eventually(lambda: state(order) == ("processing", "paid"))
    assert stock(kettle) == (0, 0)
    assert [event for event, _ in told(order)] == ["order_placed", "order_paid"]


def test_the_sweep_finishes_what_no_event_told(
    place, pay, product, clock, state, sql, eventually, monkeypatch
):
    """The process died after the charge, and the event is lost as well: payments is asked."""
    order = place((product(), 1))
    finish, told = settlement.finish, []

    def only_by_the_sweep(shop, news, begin=None):
        told.append(news)
        if len(told) <= 2:  # the answer of the charge, and its event
            raise crash() if begin is None else AlreadyHandled
        finish(shop, news, begin)

    monkeypatch.setattr(settlement, "finish", only_by_the_sweep)
    crashes(pay, order)
    eventually(lambda: len(told) == 2)
    assert state(order) == ("pending", "unpaid")
    clock.advance(seconds=16)
    assert eventually(lambda: state(order) == ("processing", "paid"))
    assert sql("orders", "SELECT paying_since, recheck_at FROM orders") == [
        {"paying_since": None, "recheck_at": None}
    ]


def test_a_payment_that_never_began_is_forgotten(
    place, pay, product, before, clock, sql, eventually, state
):
    """The process died before it called payments: the order is open for another try."""
    order = place((product(), 1))
    before(settlement, "_charge", crash)
    crashes(pay, order)
    paying = "SELECT paying_since IS NOT NULL AS paying FROM orders"
    assert sql("orders", paying) == [{"paying": True}]
    clock.advance(seconds=16)
    eventually(lambda: sql("orders", paying) == [{"paying": False}])
    assert state(order) == ("pending", "unpaid")
    assert pay(order)["status"] == "succeeded"


def test_an_unpaid_order_expires_and_frees_its_stock(
    place, product, stock, state, clock, told, call, eventually
):
    """After its time: cancelled with that cause, and the next buyer gets the piece."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    clock.advance(seconds=1801)
    assert eventually(lambda: state(order) == ("cancelled", "unpaid"))
    assert call.orders.get(order_id=order["id"])["cancel_reason"] == "expired"
    assert eventually(lambda: stock(kettle) == (1, 0))
    assert place((kettle, 1), user_id=str(uuid.uuid4()))["status"] == "pending"
    assert [event for event, _ in told(order)] == ["order_placed", "order_cancelled"]


def test_a_paid_order_does_not_expire(place, pay, product, state, clock, running):
    """Time is for unpaid orders."""
    order = place((product(), 1))
    pay(order)
    clock.advance(days=2)
    eventlet.sleep(1.5)
    assert state(order) == ("processing", "paid")


def test_many_orders_expire_at_once(place, product, stock, sql, clock, eventually, start):
    """Two instances share more than a batch; each order is cancelled once."""
    kettle = product(stock=70)
    for _ in range(60):
        place((kettle, 1))
    start(OrdersService)
    clock.advance(seconds=1801)
    eventually(
        lambda: sql("orders", "SELECT DISTINCT status FROM orders") == [{"status": "cancelled"}]
    )
    cancelled = "SELECT count(*) AS n FROM outbox WHERE type = 'order_cancelled'"
    assert sql("orders", cancelled) == [{"n": 60}]
    assert eventually(lambda: stock(kettle) == (70, 0))


def test_money_for_an_expired_order_goes_back_once(
    place, pay, product, state, clock, sql, call, config, told, eventually
):
    """The provider's answer comes after the order's time, and we are told of it four times."""
    order = place((product(), 1))
    payment = pay(order, "tok_timeout")
    assert payment["status"] == "pending"
    asked = "UPDATE payments SET next_check_at = created_at + :pause * interval '1 second'"
    sql("payments", asked, pause=10**6)
    clock.advance(seconds=1801)
    eventually(lambda: state(order) == ("cancelled", "unpaid"))
    sql("payments", asked, pause=0)
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))
    news = {
        "payment_id": payment["id"],
        "order_id": order["id"],
        "user_id": order["user_id"],
        "amount": order["total"],
        "currency": "EUR",
    }
    for _ in range(3):
        publish(config["AMQP_URI"], "payments", "payment_succeeded", news)
    handled = "SELECT * FROM inbox WHERE handler = 'orders.on_payment_succeeded'"
    eventually(lambda: len(sql("orders", handled)) == 4)
    due = [facts for event, facts in told(order) if event == "refund_due"]
    assert [facts["payment_id"] for facts in due] == [payment["id"]]
    assert state(order) == ("cancelled", "refunded")


def test_a_refund_that_is_heard_of_before_its_payment(
    place, product, call, state, config, running, sql, told, eventually
):
    """Reordered news end in the same state as ordered ones."""
    order = place((product(price="10.00"), 1))
    news = {
        "payment_id": str(uuid.uuid4()),
        "order_id": order["id"],
        "user_id": order["user_id"],
        "currency": "EUR",
        "amount": "4.00",
    }
    refund = {**news, "refunded_total": "4.00", "full": False}
    publish(config["AMQP_URI"], "payments", "payment_refunded", refund)
    eventually(lambda: sql("orders", "SELECT * FROM receipts"))
    assert state(order) == ("pending", "unpaid")
    publish(config["AMQP_URI"], "payments", "payment_succeeded", {**news, "amount": "10.00"})
    assert eventually(lambda: state(order) == ("processing", "partially_refunded"))


def test_a_failed_round_of_recovery_is_not_the_last(
    place, product, before, clock, stock, sql, eventually
):
    """Inventory is away when a checkout is to be undone: the next round does it."""
    kettle = product(stock=1)
    before(checkout, "_finalize", crash)
    crashes(place, (kettle, 1))

    def away():
        raise ConnectionError

    before(recovery.checkout, "undo", away)
    clock.advance(seconds=61)
    eventually(lambda: sql("orders", "SELECT state FROM checkouts") == [{"state": "undoing"}])
    clock.advance(seconds=11)
    assert eventually(lambda: stock(kettle) == (1, 0))
