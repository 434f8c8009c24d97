"""Checkouts under way, as staff see them, and what staff do about one that does not move."""

import contextlib
import uuid

import pytest

from chassis.errors import Conflict, Fault, Forbidden, Unavailable
from orders.checkout import commands as checkout_commands
from orders.payment import commands as payment_commands
from products.service import InventoryService
from tests.integration.orders.world import STAFF, crash


@pytest.fixture
def under_way(call):
    """`under_way(state="stuck")`: the items of the first page."""
    return lambda **query: call.orders.list_checkouts(actor=STAFF, **query)["items"]


@pytest.fixture
def retry(call):
    """`retry(order_id)`, as staff."""
    return lambda order_id: call.orders.retry_checkout(order_id=order_id, actor=STAFF)


@pytest.fixture
def undo(call):
    """`undo(order_id)`, as staff."""
    return lambda order_id: call.orders.undo_checkout(order_id=order_id, actor=STAFF)


@pytest.fixture
def interrupted(place, product, at, under_way, clock):
    """`interrupted()`: a checkout that has reserved the last piece, and the product."""

    def interrupt(**request):
        kettle = product(stock=1)
        at(checkout_commands.RESERVED, crash)
        with contextlib.suppress(Fault):
            place((kettle, 1), **request)
        return under_way(limit=100)[-1], kettle

    yield interrupt
    clock.advance(seconds=61)


def over(status=None, payment_status=None):
    return {"state": "over", "order_status": status, "payment_status": payment_status}


def outcome(answer):
    return {key: answer[key] for key in ("state", "order_status", "payment_status")}


def test_a_checkout_under_way_is_told_without_what_is_bought(interrupted, under_way, buyer):
    """Its ids, state and times; neither goods nor address."""
    found, _ = interrupted()
    assert found == {
        "order_id": found["order_id"],
        "user_id": buyer["user_id"],
        "state": "open",
        "since": found["since"],
        "due_at": found["due_at"],
        "attempts": 0,
        "reason": None,
    }
    assert found["since"] < found["due_at"]
    assert under_way(state="open") == [found]
    assert under_way(state="undoing") == under_way(state="paying") == under_way(state="stuck") == []


def test_pages_of_checkouts_leave_none_out(interrupted, place, product, pay, call):
    """Checkouts and payments in one list, the oldest first."""
    expected = [interrupted()[0]["order_id"] for _ in range(2)]
    order = place((product(), 1))
    pay(order, "tok_3ds")
    expected += [order["id"], interrupted()[0]["order_id"]]
    found, cursor = [], None
    while len(found) < 9:
        page = call.orders.list_checkouts(actor=STAFF, limit=1, cursor=cursor)
        found += [item["order_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == expected


def test_a_checkout_in_its_time_is_the_buyers(interrupted, retry, undo, stock):
    """It can't be retried, but it can be given up; a repeat of that changes nothing."""
    found, kettle = interrupted()
    with pytest.raises(Conflict) as refused:
        retry(found["order_id"])
    assert refused.value.code == "checkout_in_time"
    assert stock(kettle) == (1, 1)
    for _ in range(2):
        assert outcome(undo(found["order_id"])) == over()
        assert stock(kettle) == (1, 0)


def test_a_buyer_whose_checkout_was_given_up_is_told(place, product, at, sql, undo, stock):
    """Even when it happens right before the order is made: none is."""
    kettle = product(stock=1)

    def given_up():
        (row,) = sql("orders", "SELECT order_id FROM checkouts")
        undo(str(row["order_id"]))

    at(checkout_commands.RESERVED, given_up)
    with pytest.raises(Unavailable) as interrupted:
        place((kettle, 1), key="mine")
    assert interrupted.value.code == "checkout_interrupted"
    assert stock(kettle) == (1, 0)
    assert sql("orders", "SELECT * FROM orders") == []


def test_a_checkout_that_cannot_be_undone_is_stuck_in_time(
    interrupted, under_way, retry, clock, stock, eventually, monkeypatch
):
    """It counts its attempts and says why; three times its patience makes it stuck; a retry that
    fails says so, and one that does not ends it."""

    def away(inventory, order_id, reason):
        raise Unavailable

    found, kettle = interrupted()
    with monkeypatch.context() as patch:
        patch.setattr(InventoryService, "release", away)
        clock.advance(seconds=61)
        eventually(lambda: [one["reason"] for one in under_way(state="undoing")] == ["unavailable"])
        assert under_way(state="stuck") == []
        clock.advance(seconds=120)
        eventually(lambda: [one["attempts"] for one in under_way(state="stuck")] == [2])
        with pytest.raises(Unavailable):
            retry(found["order_id"])
        assert [one["attempts"] for one in under_way(state="stuck")] == [3]
    for _ in range(2):
        assert outcome(retry(found["order_id"])) == over()
        assert stock(kettle) == (1, 0)
    assert under_way() == []


def test_a_payment_that_never_began_is_given_up(
    place, pay, product, at, clock, under_way, undo, stock, told, call, eventually
):
    """Stuck only when the time to pay is long over; then its order is cancelled, once, by staff."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    at(payment_commands.STARTED, crash)
    with contextlib.suppress(Fault):
        pay(order)
    (found,) = under_way(state="paying")
    assert (found["order_id"], found["reason"]) == (order["id"], "outcome_unknown")
    assert under_way(state="stuck") == []
    for _ in range(2):
        assert outcome(undo(order["id"])) == over("cancelled", "unpaid")
    assert under_way() == []
    eventually(lambda: stock(kettle) == (1, 0))
    assert [event for event, _ in told(order)] == ["order_placed", "order_cancelled"]
    entries = call.orders.timeline(order_id=order["id"])["items"]
    assert [one["actor"] for one in entries if one["cause"] == "cancelled_by_staff"] == ["staff"]


def test_a_payment_that_hangs_is_stuck_when_the_time_to_pay_is_long_over(
    place, pay, product, clock, under_way, sql
):
    """Until then the buyer's bank may still be asking."""
    order = place((product(), 1))
    pay(order, "tok_3ds")
    clock.advance(seconds=590)
    assert [one["order_id"] for one in under_way(state="paying")] == [order["id"]]
    assert under_way(state="stuck") == []
    sql("orders", "UPDATE orders SET expires_at = created_at")
    assert [one["order_id"] for one in under_way(state="stuck")] == [order["id"]]


def test_a_payment_that_failed_is_not_waited_for(
    place, pay, product, clock, under_way, sql, eventually
):
    """The news of its failure ends the wait, however far away the next look is."""
    order = place((product(), 1))
    pay(order, "tok_3ds")
    sql("orders", "UPDATE orders SET recheck_at = recheck_at + interval '1 day'")
    clock.advance(seconds=601)
    eventually(lambda: under_way() == [])


def test_money_of_a_checkout_that_was_given_up_goes_back(
    place, pay, product, undo, stock, sql, eventually, state, clock
):
    """A payment that is undecided at that moment is looked after until its end."""
    kettle = product(stock=1)
    order = place((kettle, 1))
    pay(order, "tok_timeout")
    given_up = outcome(undo(order["id"]))
    assert given_up["order_status"] == "cancelled"
    eventually(lambda: state(order) == ("cancelled", "refunded"), timeout=15)
    eventually(lambda: stock(kettle) == (1, 0))


def test_an_order_whose_money_has_come_is_finished_not_given_up(
    place, pay, product, clock, under_way, retry, undo, stock, call, eventually, monkeypatch, brief
):
    """To undo it is a conflict; to retry finishes it, once, and the timeline tells who asked."""

    def away(inventory, order_id):
        raise Unavailable

    kettle = product(stock=1)
    order = place((kettle, 1))
    brief(order)
    with monkeypatch.context() as patch:
        patch.setattr(InventoryService, "commit", away)
        pay(order)
        clock.advance(seconds=181)
        eventually(lambda: [one["reason"] for one in under_way(state="stuck")])
        assert under_way(state="stuck")[0]["reason"] == "order_not_finished"
        with pytest.raises(Conflict) as refused:
            undo(order["id"])
        assert refused.value.code == "payment_captured"
    assert outcome(retry(order["id"])) == over("processing", "paid")
    assert outcome(retry(order["id"])) == over("processing", "paid")
    assert outcome(undo(order["id"])) == over("processing", "paid")
    assert stock(kettle) == (1, 1)
    assert under_way() == []
    causes = [one["cause"] for one in call.orders.timeline(order_id=order["id"])["items"]]
    assert causes.count("paid") == 1
    assert causes.count("payment_looked_up_by_staff") <= 1


def test_only_staff_are_at_the_desk(running, call, buyer):
    """Not even one's own checkouts."""
    mine = {"order_id": str(uuid.uuid4()), "actor": buyer}
    for refused in (
        lambda: call.orders.list_checkouts(actor=buyer),
        lambda: call.orders.retry_checkout(**mine),
        lambda: call.orders.undo_checkout(**mine),
    ):
        with pytest.raises(Forbidden):
            refused()
