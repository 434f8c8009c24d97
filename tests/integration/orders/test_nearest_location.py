"""An order is shipped from where it has the shortest way, as far as there is everything."""

import contextlib

import pytest

from chassis.errors import Fault
from orders.checkout import commands as checkout
from tests.integration.orders.world import ADDRESS, ADMIN, crash


@pytest.fixture
def warehouses(product, call):
    """`warehouses(NL=5, DE=5)`: a product with so many in a warehouse of each country, the first
    one preferred."""

    def build(**counts):
        kettle = product(stock=0)
        for priority, (country, count) in enumerate(counts.items()):
            place = {"code": f"{country}", "country": country, "priority": priority}
            call.inventory.create_location(name=country, actor=ADMIN, **place)
            call.inventory.adjust(
                variant_id=kettle, location=place["code"], on_hand=count, reason="x", actor=ADMIN
            )
        return kettle

    return build


@pytest.fixture
def places(call):
    """`places(order)`: how many units come from which location."""

    def look(order):
        found = call.inventory.allocation(order_id=order["id"])
        return {line["location"]: line["quantity"] for line in found["items"]}

    return look


def test_from_the_country_that_it_goes_to(warehouses, place, places):
    """The address decides, then the priority; one that has too few sends nothing."""
    kettle = warehouses(NL=9, DE=5)
    for country, postal_code, source in (
        ("DE", "28195", "DE"),
        ("NL", "1011 AB", "NL"),
        ("FR", "69001", "NL"),
    ):
        address = ADDRESS | {"country": country, "postal_code": postal_code}
        assert places(place((kettle, 1), shipping_address=address)) == {source: 1}
    assert places(place((kettle, 5))) == {"NL": 5}


@pytest.mark.parametrize("step", [checkout.ENTERED, checkout.RESERVED])
def test_also_when_a_checkout_is_taken_up_again(warehouses, place, places, at, step):
    """The repeat under its key reserves, or has reserved, what the first request would."""
    kettle = warehouses(NL=5, DE=5)
    at(step, crash)
    with contextlib.suppress(Fault):
        place((kettle, 2), key="once")
    assert places(place((kettle, 2), key="once")) == {"DE": 2}


def test_an_order_that_no_place_has(warehouses, place, places, pay, call, eventually):
    """13 of 25 come from where they all are, 20 from both; the place that is closed meanwhile sends
    what it has promised."""
    kettle = warehouses(AT=10, BE=15)
    whole = place((kettle, 13))
    assert places(whole) == {"BE": 13}
    call.orders.cancel(order_id=whole["id"])
    assert eventually(lambda: call.inventory.get(variant_id=kettle)["available"] == 25)
    split = place((kettle, 20))
    assert places(split) == {"AT": 5, "BE": 15}
    pay(split)
    eventually(lambda: call.inventory.allocation(order_id=split["id"])["state"] == "committed")
    call.inventory.update_location(code="BE", active=False, actor=ADMIN)
    with pytest.raises(Fault) as short:
        place((kettle, 6))
    assert short.value.data["lines"][0]["available"] == 5
    call.orders.update(order_id=split["id"], status="shipped", actor=ADMIN)

    def left():
        levels = call.inventory.get(variant_id=kettle)["locations"]
        return {one["location"]: (one["on_hand"], one["reserved"]) for one in levels}

    assert eventually(lambda: left() == {"MAIN": (0, 0), "AT": (5, 0), "BE": (0, 0)})


def test_units_that_are_relocated(warehouses, place, places, call, pay, eventually):
    """They leave from there; more than are free there do not go."""
    kettle = warehouses(NL=3, DE=5)
    order = place((kettle, 4))
    pay(order)
    eventually(lambda: call.inventory.allocation(order_id=order["id"])["state"] == "committed")
    move = {"variant_id": kettle, "quantity": 2, "from_": "DE", "to": "NL"}
    call.inventory.relocate(order_id=order["id"], items=[move], actor=ADMIN)
    assert places(order) == {"DE": 2, "NL": 2}
    call.orders.update(order_id=order["id"], status="shipped", actor=ADMIN)
    parcels = call.orders.list_fulfilments(order_id=order["id"], actor=ADMIN)["items"]
    assert sorted(parcel["location"] for parcel in parcels) == ["DE", "NL"]
