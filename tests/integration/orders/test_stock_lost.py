"""Orders that are paid, and whose stock is gone when inventory hears of it."""

import pytest

from tests.integration.events import publish
from tests.integration.orders.world import STAFF


@pytest.fixture
def lose(config, sql, eventually):
    """`lose(order)`: inventory has told it, and orders has heard."""

    def tell(order):
        lost = {"order_id": order["id"]}
        event_id = publish(config["AMQP_URI"], "inventory", "stock_lost", lost)
        heard = "SELECT 1 FROM inbox WHERE event_id = :id"
        eventually(lambda: sql("orders", heard, id=event_id))

    return tell


def test_it_is_cancelled_and_its_money_goes_back_once(
    place, pay, product, state, told, call, lose, eventually
):
    """However often that is told."""
    order = place((product(), 1))
    payment = pay(order)
    for _ in range(2):
        lose(order)
    assert eventually(lambda: state(order) == ("cancelled", "refunded"))
    assert call.orders.get(order_id=order["id"])["cancel_reason"] == "out_of_stock"
    events = [event for event, _ in told(order)]
    assert events == ["order_placed", "order_paid", "order_cancelled", "refund_due"]
    assert told(order)[-1][1]["amount"] == payment["amount"]
    entries = call.orders.timeline(order_id=order["id"])["items"]
    assert [one["cause"] for one in entries if one["kind"] != "mail"] == [
        "placed", "reserved", "payment_succeeded", "committed", "paid",
        "out_of_stock", "release_requested", "refund_due", "payment_refunded",
    ]  # fmt: skip


def test_what_costs_nothing_has_no_money_to_go_back(place, product, state, told, lose):
    order = place((product(price="0.00"), 1))
    lose(order)
    assert state(order) == ("cancelled", "paid")
    assert [event for event, _ in told(order)][-1] == "order_cancelled"


def test_what_is_shipped_or_cancelled_stays_so(place, pay, product, state, told, call, lose):
    """Its goods are on their way, or its stock was given back before inventory heard."""
    shipped, cancelled = place((product(), 1)), place((product(), 1))
    pay(shipped)
    call.orders.update(order_id=shipped["id"], status="shipped", actor=STAFF)
    call.orders.cancel(order_id=cancelled["id"])
    before = [told(one) for one in (shipped, cancelled)]
    for order in (shipped, cancelled):
        lose(order)
    assert (state(shipped), state(cancelled)) == (("shipped", "paid"), ("cancelled", "unpaid"))
    assert [told(one) for one in (shipped, cancelled)] == before
