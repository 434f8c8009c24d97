"""Orders that nobody pays."""

import uuid

from orders.service import OrdersService
from tests.support import run_timer


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


def test_what_time_does_is_a_trace_of_its_own(place, product, state, clock, call, sql, eventually):
    """The change and what is told of it have one trace id, which is not that of the placing."""
    order = place((product(), 1))
    clock.advance(seconds=1801)
    assert eventually(lambda: state(order) == ("cancelled", "unpaid"))
    entries = call.orders.timeline(order_id=order["id"])["items"]
    (expired,) = {one["trace_id"] for one in entries if one["cause"] == "expired"}
    told = sql("orders", "SELECT headers FROM outbox WHERE type = 'order_cancelled'")
    assert told[0]["headers"]["traceparent"].split("-")[1] == expired
    assert expired not in {one["trace_id"] for one in entries if one["cause"] == "placed"}


def test_a_paid_order_does_not_expire(by_hand, place, pay, product, state, clock, running):
    """Time is for unpaid orders: the same run of the timer that ends one leaves the paid one."""
    order, unpaid = place((product(), 1)), place((product(), 1))
    pay(order)
    clock.advance(days=2)
    run_timer(running["orders"], "expire")
    assert state(unpaid) == ("cancelled", "unpaid")
    assert state(order) == ("processing", "paid")


def test_many_orders_expire_at_once(place, product, stock, sql, clock, eventually, start):
    """Two instances share more than a batch; each order is cancelled once."""
    kettle = product(stock=70)
    for _ in range(60):
        place((kettle, 1), user_id=str(uuid.uuid4()))
    start(OrdersService)
    clock.advance(seconds=1801)
    eventually(
        lambda: sql("orders", "SELECT DISTINCT status FROM orders") == [{"status": "cancelled"}]
    )
    cancelled = "SELECT count(*) AS n FROM outbox WHERE type = 'order_cancelled'"
    assert sql("orders", cancelled) == [{"n": 60}]
    assert eventually(lambda: stock(kettle) == (70, 0))
