"""The number of an order: unique, in answers and events, and a way to find it."""

import uuid

import pytest
import sqlalchemy as sa

from chassis.errors import Forbidden, Invalid
from orders.order import numbers
from tests.integration.orders.world import STAFF, UsersStandIn


def found(call, actor, **request):
    return [order["id"] for order in call.orders.list(actor=actor, **request)["items"]]


def test_an_order_has_a_number_everywhere(place, product, call, told, buyer, sql):
    """In the answer to placing, reading, listing and changing it, and in its events."""
    kettle = product()
    order = place((kettle, 1), key="once")
    number = order["number"]
    assert numbers.parse(number) == number
    assert place((kettle, 1), key="once")["number"] == number
    assert call.orders.get(order_id=order["id"], actor=buyer)["number"] == number
    assert call.orders.list(actor=buyer)["items"][0]["number"] == number
    assert call.orders.cancel(order_id=order["id"], actor=buyer)["number"] == number
    assert [facts["number"] for _, facts in told(order)] == [number, number]


def test_numbers_differ_and_do_not_count(place, product):
    """Each is another one, also of orders at the same instant; the next is not one more."""
    kettle = product(stock=50)
    placed = [int("".join(filter(str.isdigit, place((kettle, 1))["number"]))) for _ in range(9)]
    assert len(set(placed)) == 9
    assert placed != sorted(placed)


def test_no_two_numbers_of_the_first_hundred_thousand_are_alike(sql):
    """Mixing up makes no two the same, and each passes as a number; nor where they get longer."""
    made = sql("orders", "SELECT order_number(n) AS number FROM generate_series(1, 100000) AS n")
    assert len({row["number"] for row in made}) == 100_000
    assert all(numbers.parse(row["number"]) == row["number"] for row in made)
    (long,) = sql("orders", "SELECT order_number(12345678901) AS number")
    assert numbers.parse(long["number"]) == long["number"]


def test_the_number_is_unique(place, product, sql):
    """Whatever writes it."""
    one, two = place((product(), 1)), place((product(), 1))
    with pytest.raises(sa.exc.IntegrityError, match="uq_orders_number"):
        sql("orders", "UPDATE orders SET number = :number WHERE id = :id",
            number=one["number"], id=two["id"])  # fmt: skip


def test_an_order_is_found_by_its_number(place, product, call, buyer):
    """By its owner and by staff, however it is typed; also by the eight characters of old mails."""
    kettle = product(stock=50)
    order, _ = place((kettle, 1)), place((kettle, 1))
    digits = order["number"].replace("-", "").lower()
    for typed in (order["number"], digits, digits[1:], order["id"][:8].upper(), order["id"]):
        assert found(call, buyer, number=typed) == [order["id"]]
        assert found(call, STAFF, number=typed) == [order["id"]]
    other = {"user_id": str(uuid.uuid4()), "role": "customer"}
    assert found(call, other, number=order["number"]) == []
    assert found(call, buyer, number=order["number"], status="shipped") == []


def test_a_mistyped_number_is_said_to_be_one(place, product, call, buyer):
    """Rather than that there is no such order."""
    number = place((product(), 1))["number"]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    with pytest.raises(Invalid) as refused:
        found(call, buyer, number=wrong)
    assert "number" in refused.value.errors


def test_staff_find_orders_by_number_and_by_buyer(place, product, call, buyer):
    """What `users` knows somebody by finds their orders; filters still hold."""
    kettle = product(stock=50)
    order, _ = place((kettle, 1)), place((kettle, 1), user_id=str(uuid.uuid4()))
    UsersStandIn.PEOPLE["zdenka novakova"] = [buyer["user_id"]]
    assert found(call, STAFF, search="Zdenka Novakova") == [order["id"]]
    assert found(call, STAFF, search=order["number"].replace("-", " ")) == [order["id"]]
    assert found(call, STAFF, search=order["id"][:8]) == [order["id"]]
    assert found(call, STAFF, search="nobody") == []
    assert found(call, STAFF, search="Zdenka Novakova", status="shipped") == []


def test_customers_do_not_search(place, product, call, buyer):
    """Whom a word finds is nothing to them."""
    with pytest.raises(Forbidden):
        found(call, buyer, search="novakova")
