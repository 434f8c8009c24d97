"""Orders that cost nothing."""

import pytest

from chassis.errors import Conflict, Unavailable
from orders.payment import finishing
from orders.service import CartsService
from shop.verify import money, orders
from tests.integration.orders.world import STAFF


@pytest.fixture
def gift(product):
    """A product that costs nothing, of which there are two."""
    return product(price="0.00", stock=2)


@pytest.fixture
def interrupted(monkeypatch):
    """Everything after the order is made comes to nothing, until `interrupted.undo()`."""
    with monkeypatch.context() as patch:

        def fail(*args):
            raise Unavailable

        patch.setattr(finishing, "finish_free", fail)
        yield patch


def told_of(call, order):
    entries = call.orders.timeline(order_id=order["id"])["items"]
    return [one["cause"] for one in entries]


def test_it_is_paid_at_once_without_a_payment(
    place, gift, state, stock, sql, told, held, call, eventually
):
    """Its goods are taken, and everybody is told as of any other."""
    order = place((gift, 2), key="once")
    assert (order["total"], order["status"]) == ("0.00", "processing")
    assert order["payment_status"] == "paid"
    assert state(order) == ("processing", "paid")
    assert eventually(lambda: held(order) == "committed")
    assert stock(gift) == (2, 2)
    assert sql("payments", "SELECT 1 FROM payments") == []
    assert sql("payments", "SELECT 1 FROM ledger_entries") == []
    assert [event for event, _ in told(order)] == ["order_placed", "order_paid"]
    assert told_of(call, order) == ["placed", "reserved", "committed", "paid"]
    again = place((gift, 2), key="once")
    assert (again["id"], again["replayed"], again["status"]) == (order["id"], True, "processing")
    assert told_of(call, order).count("paid") == 1


def test_a_cart_of_free_goods_as_well(place, gift, call, buyer, state, start):
    """The cart is empty then."""
    start(CartsService)
    call.carts.add_item(user_id=buyer["user_id"], product_id=gift, quantity=1)
    order = place(expected_total="0.00")
    assert state(order) == ("processing", "paid")
    assert call.carts.get(user_id=buyer["user_id"])["items"] == []


def test_free_goods_beside_others_are_paid_with_them(place, pay, product, gift, state):
    """The order waits for its money."""
    order = place((gift, 1), (product(price="10.00"), 1))
    assert state(order) == ("pending", "unpaid")
    assert pay(order)["amount"] == "10.00"
    assert state(order) == ("processing", "paid")


def test_there_is_nothing_to_pay(place, pay, gift, sql, interrupted):
    """Neither before it is finished nor after."""
    unfinished = place((gift, 1))
    assert unfinished["status"] == "pending"
    interrupted.undo()
    for order in (unfinished, place((gift, 1))):
        with pytest.raises(Conflict) as refused:
            pay(order)
        assert refused.value.code == "nothing_to_pay"
    assert sql("payments", "SELECT 1 FROM payments") == []


def test_cancelled_its_goods_come_back_and_no_money(
    place, gift, call, buyer, state, stock, sql, eventually
):
    order = place((gift, 2))
    call.orders.cancel(order_id=order["id"], actor=buyer)
    assert eventually(lambda: stock(gift) == (2, 0))
    assert state(order) == ("cancelled", "paid")
    assert sql("orders", "SELECT 1 FROM outbox WHERE type = 'refund_due'") == []


def test_it_goes_its_way(place, gift, call, state):
    order = place((gift, 1))
    for status in ("shipped", "delivered"):
        call.orders.update(order_id=order["id"], status=status, actor=STAFF)
    assert state(order) == ("delivered", "paid")


def test_the_sweep_finishes_what_was_interrupted(
    place, gift, state, stock, clock, call, interrupted, eventually
):
    """Once, however late; time does not cancel it."""
    order = place((gift, 1))
    assert state(order) == ("pending", "unpaid")
    clock.advance(seconds=2000)
    interrupted.undo()
    assert eventually(lambda: state(order) == ("processing", "paid"))
    assert stock(gift) == (2, 1)
    assert told_of(call, order) == ["placed", "reserved", "committed", "paid"]


def test_its_stock_is_taken_first_when_the_hold_may_be_over_soon(
    place, gift, state, stock, clock, brief, interrupted, eventually
):
    """As that of any other."""
    order = place((gift, 1))
    brief(order)
    clock.advance(seconds=20)
    interrupted.undo()
    assert eventually(lambda: state(order) == ("processing", "paid"))
    assert stock(gift) == (2, 1)


def test_a_repeat_finishes_what_was_interrupted(place, gift, state, interrupted):
    order = place((gift, 1), key="once")
    assert state(order) == ("pending", "unpaid")
    interrupted.undo()
    again = place((gift, 1), key="once")
    assert (again["id"], again["status"], again["replayed"]) == (order["id"], "processing", True)


def test_cancelled_before_it_was_finished_it_stays_cancelled(
    place, gift, call, buyer, state, stock, clock, sql, interrupted, eventually
):
    order = place((gift, 1))
    call.orders.cancel(order_id=order["id"], actor=buyer)
    interrupted.undo()
    clock.advance(seconds=20)
    unfinished = "SELECT 1 FROM orders WHERE paying_since IS NOT NULL"
    assert eventually(lambda: sql("orders", unfinished) == [])
    assert eventually(lambda: stock(gift) == (2, 0))
    assert state(order) == ("cancelled", "unpaid")


def test_several_at_once_take_what_there_is(place, gift, stock, together):
    """Two pieces are two orders."""
    came = together(*[lambda: place((gift, 1))] * 4)
    assert [one["status"] for one in came if isinstance(one, dict)] == ["processing"] * 2
    assert stock(gift) == (2, 2)


def test_verify_finds_nothing_wrong(place, gift, call, buyer, config, eventually, stock, held):
    """Neither with one that is kept nor with one that was cancelled."""
    from shop.verify.books import Books

    kept = place((gift, 1))
    call.orders.cancel(order_id=place((gift, 1))["id"], actor=buyer)
    assert eventually(lambda: (held(kept), stock(gift)) == ("committed", (2, 1)))
    with Books(config) as books:
        for find in (money.unmatched, orders.goods, orders.totals, orders.histories):
            assert list(find(books)) == []
