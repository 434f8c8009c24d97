"""How much of the shop's stock one buyer may hold without paying."""

import datetime
import json
import uuid
from collections import Counter

import pytest

from chassis.errors import Conflict
from orders.service import CartsService, OrdersService
from tests.integration.orders.world import ADDRESS

#: The defaults of orders/settings.py.
ORDERS, UNITS = 10, 20


@pytest.fixture
def outcomes(together):
    """`outcomes(f, g, ...)`: how many of the calls ended in which way: "placed", or a code."""

    def count(*calls):
        answers = together(*calls)
        return Counter("placed" if isinstance(a, dict) else a.code for a in answers)

    return count


def test_open_orders_are_bounded(place, product):
    """Ten unpaid orders, and then the buyer is told what to do."""
    kettle = product(stock=100)
    for _ in range(ORDERS):
        place((kettle, 1))
    with pytest.raises(Conflict) as refused:
        place((kettle, 1))
    assert refused.value.code == "too_many_open_orders"
    assert refused.value.data == {"limit": ORDERS}
    assert "pay or cancel" in refused.value.detail.lower()
    assert place((kettle, 1), user_id=str(uuid.uuid4()))["status"] == "pending"


def test_a_paid_or_cancelled_order_makes_room(place, product, pay, call, buyer):
    """Only what is unpaid counts."""
    kettle = product(stock=100)
    first, second, *_ = [place((kettle, 1)) for _ in range(ORDERS)]
    pay(first)
    call.orders.cancel(order_id=second["id"], actor=buyer)
    place((kettle, 1))
    place((kettle, 1))
    with pytest.raises(Conflict):
        place((kettle, 1))


def test_parallel_orders_leave_exactly_the_bound(start, place, product, outcomes, stock):
    """120 at the same instant, half of them with a key, at two instances: ten are placed."""
    start(OrdersService)
    kettle = product(stock=1000)
    plain = [lambda: place((kettle, 1))] * 60
    keyed = [lambda n=n: place((kettle, 1), key=f"k{n}") for n in range(60)]
    assert outcomes(*plain, *keyed) == {"placed": ORDERS, "too_many_open_orders": 110}
    assert stock(kettle) == (1000, ORDERS)


def test_one_buyer_cannot_hold_all_of_a_product(place, product, stock):
    """Of many pieces a tenth, in one order or in several."""
    kettle = product(stock=1000)
    with pytest.raises(Conflict) as refused:
        place((kettle, 1000))
    assert refused.value.code == "too_many_unpaid_units"
    assert refused.value.data["lines"] == [
        {"variant_id": kettle, "product_id": kettle, "requested": 1000, "unpaid": 0, "limit": 100}
    ]
    place((kettle, 60))
    with pytest.raises(Conflict) as refused:
        place((kettle, 60))
    assert refused.value.code == "too_many_unpaid_units"
    assert refused.value.data["lines"][0]["unpaid"] == 60
    assert stock(kettle) == (1000, 60)


def test_of_a_few_pieces_one_may_have_all(place, product, stock):
    """The share is of large stocks; twenty pieces may be had of anything."""
    kettle = product(stock=UNITS)
    place((kettle, UNITS))
    assert stock(kettle) == (UNITS, UNITS)


def test_units_are_counted_by_product(place, product):
    """What one holds of the one is no reason not to have the other; all lines are named."""
    kettle, mug, pot = product(stock=100), product(stock=100), product(stock=100)
    place((kettle, UNITS), (mug, 5))
    place((pot, UNITS), (mug, 5))
    with pytest.raises(Conflict) as refused:
        place((kettle, 1), (mug, 1), (pot, 2))
    over = {line["variant_id"]: line["requested"] for line in refused.value.data["lines"]}
    assert over == {kettle: 1, pot: 2}


def test_parallel_orders_leave_at_most_the_units(start, place, product, outcomes, stock):
    """Eight orders of six pieces, four of them with a key: three fit into twenty."""
    start(OrdersService)
    kettle = product(stock=100)
    plain = [lambda: place((kettle, 6))] * 4
    keyed = [lambda n=n: place((kettle, 6), key=f"k{n}") for n in range(4)]
    assert outcomes(*plain, *keyed) == {"placed": 3, "too_many_unpaid_units": 5}
    assert stock(kettle) == (100, 18)


def test_what_is_not_there_is_out_of_stock(place, product):
    """Too many for the bound and more than there is: the latter is what the buyer can act on."""
    kettle = product(stock=30)
    with pytest.raises(Conflict) as refused:
        place((kettle, 500))
    assert refused.value.code == "out_of_stock"
    assert refused.value.data["lines"] == [
        {"variant_id": kettle, "product_id": kettle, "requested": 500, "available": 30}
    ]


def test_a_repeat_is_not_counted_twice(place, product, outcomes, stock):
    """The tenth order, sent four times under one key, is the tenth; its units are held once."""
    kettle = product(stock=100)
    for _ in range(ORDERS - 1):
        place((kettle, 1))
    assert outcomes(*[lambda: place((kettle, 11), key="last")] * 4) == {"placed": 4}
    assert place((kettle, 11), key="last")["replayed"] is True
    assert stock(kettle) == (100, UNITS)


def test_a_checkout_under_way_counts(place, product, sql, buyer, clock):
    """It may hold stock already: its row counts as the order that it will be."""
    kettle = product(stock=100)
    basket = {
        "lines": [[kettle, "Kettle", 15, "10.00"]], "currency": "EUR",
        "shipping_address": ADDRESS, "expires_at": "2040-01-01T00:00:00+00:00",
        "cart_version": None,
    }  # fmt: skip
    sql(
        "orders",
        "INSERT INTO checkouts (order_id, user_id, fingerprint, basket, state, started_at, due_at)"
        " VALUES (gen_random_uuid(), :user, '', CAST(:basket AS jsonb), 'open', :now, :later)",
        user=buyer["user_id"],
        basket=json.dumps(basket),
        now=clock(),
        later=clock() + datetime.timedelta(hours=1),
    )
    with pytest.raises(Conflict) as refused:
        place((kettle, 6))
    assert refused.value.data["lines"][0]["unpaid"] == 15
    sql("orders", "DELETE FROM checkouts")


def test_a_cart_is_bounded_too(start, place, product, call, buyer):
    """And it stays as it is, to be made smaller."""
    start(CartsService)
    kettle = product(stock=100)
    call.carts.add_item(user_id=buyer["user_id"], product_id=kettle, quantity=UNITS + 1)
    with pytest.raises(Conflict) as refused:
        place()
    assert refused.value.code == "too_many_unpaid_units"
    cart = call.carts.update_quantity(user_id=buyer["user_id"], product_id=kettle, quantity=UNITS)
    assert cart["items"][0]["quantity"] == UNITS
    assert place()["status"] == "pending"
