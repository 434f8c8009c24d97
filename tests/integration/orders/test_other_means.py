"""Paying by another means, and orders that are cancelled while a payment waits for its buyer."""

import pytest

from orders.payment import commands as payment_commands
from tests.integration.orders.world import STAFF


@pytest.fixture
def payment_of(call):
    """`payment_of(order)`: its newest payment."""
    return lambda order: call.payments.list(order_id=order["id"])["items"][0]


@pytest.fixture
def charged(sql):
    """`charged()`: what the provider has taken, in orders' worth of 10.00."""
    taken = "SELECT coalesce(sum(captured), 0) / 10 AS orders FROM simulator_charges"
    return lambda: sql("payments", taken)[0]["orders"]


def causes(call, order):
    """What its timeline tells of payments."""
    entries = call.orders.timeline(order_id=order["id"])["items"]
    return sorted(one["cause"] for one in entries if one["kind"] == "payment")


def test_another_card_pays_an_order_whose_first_was_abandoned(
    place, pay, product, state, stock, call, charged, eventually
):
    """At once, and once; the first can no longer be paid."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    assert pay(order, "tok_3ds")["action_url"]
    assert pay(order)["status"] == "succeeded"
    assert state(order) == ("processing", "paid")
    assert charged() == 1
    assert eventually(lambda: stock(kettle) == (1, 1))
    told = ["payment_cancelled", "payment_succeeded"]
    assert eventually(lambda: causes(call, order) == told)


def test_a_declined_other_card_leaves_the_order_open(place, pay, product, state, charged):
    order = place((product(), 1))
    pay(order, "tok_3ds")
    assert pay(order, "tok_declined")["status"] == "failed"
    assert pay(order)["status"] == "succeeded"
    assert state(order) == ("processing", "paid")
    assert charged() == 1


def test_two_other_cards_at_once_take_the_money_once(
    place, pay, product, state, together, charged, eventually
):
    for paid in range(1, 4):
        order = place((product(), 1))
        pay(order, "tok_3ds")
        together(*[lambda o=order: pay(o)] * 3)
        assert eventually(lambda o=order: state(o) == ("processing", "paid"))
        assert charged() == paid


def test_who_passed_before_the_other_card_came_has_paid(
    by_hand, place, pay, product, state, charged, clock, eventually
):
    """The order is finished with the first one; the other card is not charged."""
    order = place((product(), 1))
    pay(order, "tok_3ds_passes")
    clock.advance(seconds=3)
    with pytest.raises(Exception, match="already_paid"):
        pay(order)
    assert eventually(lambda: state(order) == ("processing", "paid"))
    assert charged() == 1


@pytest.mark.parametrize("who", ["buyer", "staff", "desk"])
def test_a_cancelled_order_cannot_be_paid_any_more(
    place, pay, product, call, state, stock, buyer, charged, clock, payment_of, eventually, who
):
    """Whoever would pass the bank's question then is not charged."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    assert pay(order, "tok_3ds_passes")["action_url"]
    if who == "buyer":
        call.orders.cancel(order_id=order["id"], actor=buyer)
    elif who == "staff":
        call.orders.update(order_id=order["id"], status="cancelled", actor=STAFF)
    else:
        call.orders.undo_checkout(order_id=order["id"], actor=STAFF)
    payment = payment_of(order)
    assert (payment["status"], payment["failure_code"]) == ("failed", "order_cancelled")
    assert payment["action_url"] is None
    clock.advance(seconds=30)
    assert eventually(lambda: stock(kettle) == (1, 0))
    assert (state(order), charged()) == (("cancelled", "unpaid"), 0)
    assert eventually(lambda: causes(call, order) == ["payment_cancelled"])


def test_an_expired_order_cannot_be_paid_any_more(
    place, pay, product, state, sql, charged, clock, payment_of, eventually
):
    order = place((product(), 1))
    pay(order, "tok_3ds")
    clock.advance(seconds=70)
    sql("orders", "UPDATE orders SET expires_at = created_at")
    assert eventually(lambda: state(order) == ("cancelled", "unpaid"))
    assert eventually(lambda: payment_of(order)["status"] == "failed", timeout=10)
    assert payment_of(order)["failure_code"] == "order_cancelled"
    assert charged() == 0


def test_an_order_that_is_cancelled_while_its_payment_is_begun(
    place, pay, product, call, buyer, state, payment_of, at
):
    """There was no payment yet when it was cancelled: the one made then is no way to pay."""
    order = place((product(), 1))
    at(payment_commands.STARTED, lambda: call.orders.cancel(order_id=order["id"], actor=buyer))
    payment = pay(order, "tok_3ds")
    assert (payment["status"], payment["action_url"]) == ("failed", None)
    assert payment_of(order)["failure_code"] == "order_cancelled"
    assert state(order) == ("cancelled", "unpaid")


def test_payments_that_are_away_cancel_it_later(
    place, pay, product, call, buyer, running, payment_of, clock, eventually, monkeypatch
):
    """The order is cancelled all the same, and the sweep sees to its payment."""
    order = place((product(), 1))
    pay(order, "tok_3ds")
    with monkeypatch.context() as away:
        away.setattr("payments.charges.commands.cancel", None)
        call.orders.cancel(order_id=order["id"], actor=buyer)
        assert payment_of(order)["status"] == "requires_action"
    clock.advance(seconds=16)
    assert eventually(lambda: payment_of(order)["failure_code"] == "order_cancelled", timeout=10)


def test_money_that_comes_all_the_same_goes_back(
    by_hand, place, pay, product, call, buyer, state, sql, clock, eventually
):
    """Passed in the last moment: it is booked, given back, and told with that reason."""
    order = place((product(), 1))
    pay(order, "tok_3ds_passes")
    clock.advance(seconds=3)
    call.orders.cancel(order_id=order["id"], actor=buyer)
    assert eventually(lambda: state(order) == ("cancelled", "refunded"), timeout=10)
    told = sql("payments", "SELECT type, payload FROM outbox ORDER BY id")
    assert [one["type"] for one in told] == ["payment_succeeded", "payment_refunded"]
    assert told[1]["payload"]["reason"] == "order_cancelled"
