"""Whatever changes how many can be had is told, after the commit; nothing else is."""

import uuid

import pytest

from chassis.errors import Conflict
from products import cache_invalidation
from tests.integration import events
from tests.support import run_timer


@pytest.fixture
def stock(told):
    """Takes what was told of stock since it was last called: a list of lists of ids."""

    def take():
        payloads = [payload["ids"] for payload in told.pop("stock_changed", [])]
        assert not told.keys() - {"catalog_changed"}
        return payloads

    return take


def test_an_order_is_told_from_its_reservation_to_its_end(stock, inventory, product, reserve):
    """Once for all its lines. A repeat is no news, and neither is a payment: what it takes was held
    already."""
    kettle, lamp, order = product(), product(), str(uuid.uuid4())
    for expected in ([[kettle, lamp]], []):
        reserve((lamp, 1), (kettle, 2), (lamp, 1), order_id=order)
        assert stock() == expected
    inventory.commit(order_id=order)
    assert stock() == []
    for expected in ([[kettle, lamp]], []):
        inventory.release(order_id=order)
        assert stock() == expected


def test_what_fails_is_no_news(stock, product, reserve):
    """It is rolled back, as a whole."""
    kettle, lamp = product(stock=5), product(stock=1)
    with pytest.raises(Conflict):
        reserve((kettle, 1), (lamp, 2))
    assert stock() == []


def test_a_count_is_told(stock, inventory, product):
    """Unless it finds what was known."""
    kettle = product(stock=5)
    inventory.adjust(variant_id=kettle, on_hand=5, reason="counted")
    assert stock() == []
    inventory.adjust(variant_id=kettle, on_hand=4, reason="counted")
    assert stock() == [[kettle]]


def test_a_cancelled_order_is_told(config, stock, product, reserve, eventually):
    """By the event, for there is no call."""
    kettle, order = product(stock=5), str(uuid.uuid4())
    reserve((kettle, 2), order_id=order)
    assert stock() == [[kettle]]
    events.publish(config["AMQP_URI"], "orders", "order_cancelled", events.of_order(order))
    assert eventually(stock) == [[kettle]]


def test_an_expiry_is_told(by_hand, service, stock, product, reserve, clock):
    """When it is swept."""
    kettle = product(stock=5)
    reserve((kettle, 2), minutes=5)
    stock()
    clock.advance(minutes=6)
    run_timer(service, "free_expired")
    assert stock() == [[kettle]]


def test_what_expired_is_reserved_anew(by_hand, stock, inventory, product, reserve, clock):
    """The counters are what they were, but readers have seen it free in between."""
    kettle = product(stock=5)
    reserve((kettle, 2), minutes=5)
    clock.advance(minutes=6)
    assert inventory.get(variant_id=kettle)["available"] == 5
    stock()
    reserve((kettle, 2), minutes=5)
    assert stock() == [[kettle]]


@pytest.mark.parametrize("others", [0, 1, 4])  # nobody, out of what was free before, out of this
def test_a_late_payment_that_takes_anew_is_told(
    by_hand, stock, inventory, product, reserve, clock, others
):
    """Its hold was over and readers saw it as free, whether or not it was freed for another."""
    kettle, first = product(stock=6), str(uuid.uuid4())
    reserve((kettle, 2), order_id=first, minutes=5)
    reserve((kettle, 1), minutes=5)
    clock.advance(minutes=6)
    if others:
        reserve((kettle, others), minutes=5)
    stock()
    inventory.commit(order_id=first)
    assert stock() == [[kettle]]


def test_a_broadcast_is_bounded(monkeypatch, stock, product, reserve):
    """Too many ids are no ids at all: anything may have changed."""
    monkeypatch.setattr(cache_invalidation, "MAX_CHANGED", 2)
    some = [product() for _ in range(3)]
    reserve(*((one, 1) for one in some))
    reserve(*((one, 1) for one in some[:2]))
    assert stock() == [None, some[:2]]


def test_nobody_is_told_before_the_commit(monkeypatch, inventory, product, reserve):
    """Who asks at once must find what was told."""
    found = []

    def look(provider, broadcast_type, body):
        if broadcast_type == "stock_changed":
            found.append(inventory.get(variant_id=kettle)["available"])

    kettle = product(stock=5)
    monkeypatch.setattr("chassis.events.broadcast.Broadcast._send", look)
    reserve((kettle, 2))
    assert found == [3]


def test_a_variant_is_told_as_its_product(
    by_hand, call, service, stock, inventory, product, reserve, clock
):
    """Whichever way its stock moves: readers see products."""
    kettle, order = product(stock=0), str(uuid.uuid4())
    sizes = [{"options": {"Size": size}, "stock": 5} for size in "SL"]
    shirt = call.products.create(name="Shirt", price="29.00", variants=sizes)
    small, large = (variant["id"] for variant in shirt["variants"])
    stock()
    for move in (
        lambda: inventory.adjust(variant_id=small, delta=1, reason="counted"),
        lambda: reserve((small, 1), (large, 2), order_id=order, minutes=5),
        lambda: (clock.advance(minutes=6), inventory.commit(order_id=order)),
        lambda: inventory.release(order_id=order),
        lambda: (reserve((small, 1), minutes=5), stock(), clock.advance(minutes=6),
                 run_timer(service, "free_expired")),
    ):  # fmt: skip
        move()
        assert stock() == [[shirt["id"]]]
    assert kettle not in (small, large)
