"""What the border of carts and orders lets in."""

import uuid
from decimal import Decimal
from types import SimpleNamespace

import pytest
from marshmallow import ValidationError

from chassis.identity import Actor
from contracts.orders import requests
from contracts.orders.events import EVENTS
from orders import catalog

USER = str(uuid.uuid4())
ADDRESS = {"line1": "1 Quay", "city": "Bremen", "postal_code": "28195", "country": "DE"}


def place(**fields):
    return requests.Place().load({"user_id": USER, **fields})


def test_an_order_of_the_cart_needs_nothing_but_its_user():
    """Everything else has a default that says: not given."""
    assert place() == {
        "user_id": uuid.UUID(USER),
        "items": None,
        "shipping_address": None,
        "expected_total": None,
        "currency": None,
        "shipping_method": None,
        "key": None,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"items": []},
        {"items": [{"product_id": 1, "quantity": 1}] * 101},
        {"items": [{"product_id": 1, "quantity": 0}]},
        {"items": [{"product_id": 1, "quantity": -1}]},
        {"items": [{"product_id": 1, "quantity": 1001}]},
        {"items": [{"product_id": 1, "quantity": True}]},
        {"items": [{"product_id": 1, "quantity": "1"}]},
        {"items": [{"product_id": 2**63, "quantity": 1}]},
        {"items": [{"product_id": 1, "quantity": 1, "price": 9.99}]},
        {"items": [{"product_id": 1, "quantity": 1, "price": "-1"}]},
        {"items": [{"product_id": 1, "quantity": 1, "total": "0.01"}]},
        {"items": {"product_id": 1}},
        {"status": "processing"},
        {"total": "0.01"},
        {"payment_status": "paid"},
        {"expected_total": "NaN"},
        {"expected_total": "1.00001"},
        {"key": "a\0b"},
        {"key": ""},
        {"key": "k" * 201},
        {"shipping_address": {**ADDRESS, "country": "Germany"}},
        {"shipping_address": {**ADDRESS, "city": " "}},
        {"shipping_address": {**ADDRESS, "line1": "x\0"}},
        {"shipping_address": {**ADDRESS, "vip": True}},
    ],
)
def test_what_does_not_fit_is_refused(fields):
    """Bounds, types, unknown and privileged fields."""
    with pytest.raises(ValidationError):
        place(**fields)


def test_who_acts_has_to_be_said():
    """A person, or the system; a person is not the system."""
    order_id = str(uuid.uuid4())
    loaded = requests.OneOrder().load({"order_id": order_id, "actor": "system"})
    assert loaded["actor"] is Actor.SYSTEM
    for actor in ({}, {"actor": None}, {"actor": {"user_id": USER, "role": "system"}}):
        with pytest.raises(ValidationError):
            requests.OneOrder().load({"order_id": order_id} | actor)


def test_events_say_money_as_text():
    """With its places, no float, and nothing that names a person beyond an id."""
    order_id = uuid.uuid4()
    facts = {
        "order_id": order_id,
        "number": "S-102-748-399",
        "user_id": uuid.UUID(USER),
        "total": Decimal("10.00"),
        "currency": "EUR",
        "version": 1,
        "cause": "placed",
    }
    assert EVENTS["order_placed"]().dump(facts) == {
        "order_id": str(order_id),
        "number": "S-102-748-399",
        "user_id": USER,
        "total": "10.00",
        "currency": "EUR",
        "version": 1,
        "cause": "placed",
    }


def test_what_others_add_to_their_answers_is_ignored():
    """A service may grow fields without asking us; those we need must be there."""
    mug = {
        "id": 1, "product_id": 1, "sku": "MUG", "name": "Mug", "options": {}, "price": "4.50",
        "currency": "EUR", "tax_class": "standard", "weight_g": 0, "available": 3,
        "deleted": False, "is_only": True,
    }  # fmt: skip

    def look_up(answered):
        products = SimpleNamespace(get_variants=lambda ids: {"items": [answered]})
        return catalog.look_up(products, [1, 2])

    assert look_up(mug | {"colour": "red"}) == {1: mug | {"price": Decimal("4.50")}, 2: None}
    with pytest.raises(ValidationError):
        look_up({"id": 1})


@pytest.mark.parametrize("change", [{}, {"version": 3}, {"status": None, "shipping_address": None}])
def test_a_change_says_what_it_changes(change):
    """Another address, or another status."""
    order = {"order_id": str(uuid.uuid4()), "actor": "system"}
    with pytest.raises(ValidationError):
        requests.Update().load(order | change)
    assert requests.Update().load(order | change | {"status": "shipped"})["status"] == "shipped"
