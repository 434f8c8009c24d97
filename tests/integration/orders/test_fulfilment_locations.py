"""Parcels leave from where inventory holds their units, and are booked there, once."""

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.errors import Conflict
from tests.integration.orders.world import ADMIN, STAFF


@pytest.fixture
def spread(product, place, pay, call, eventually):
    """A paid order of five: three lie at AMS, two at BER."""
    kettle = product(stock=0)
    for code, count in (("AMS", 3), ("BER", 2)):
        call.inventory.create_location(code=code, name=code, priority=1, actor=ADMIN)
        call.inventory.adjust(
            variant_id=kettle, location=code, on_hand=count, reason="x", actor=ADMIN
        )
    order = place((kettle, 5))
    pay(order)
    eventually(lambda: call.inventory.allocation(order_id=order["id"])["state"] == "committed")
    return order | {"variant_id": kettle}


@pytest.fixture
def there(call):
    """`there(order)`: on hand at each location where there is any of its product."""

    def look(order):
        levels = call.inventory.get(variant_id=order["variant_id"])["locations"]
        return {one["location"]: one["on_hand"] for one in levels if one["on_hand"]}

    return look


@pytest.fixture
def fulfil(call):
    """`fulfil(order, 2, location="BER")`: a parcel with so many units of its line."""

    def send(order, units, **request):
        items = [{"line": 1, "quantity": units}]
        return call.orders.fulfil(order_id=order["id"], items=items, actor=STAFF, **request)

    return send


def test_a_parcel_leaves_from_where_its_units_lie(spread, fulfil, there, eventually):
    """What is paid stays on hand until it has left; then it is gone from there."""
    assert there(spread) == {"AMS": 3, "BER": 2}
    assert fulfil(spread, 2)["location"] == "AMS"
    assert eventually(lambda: there(spread) == {"AMS": 1, "BER": 2})
    with pytest.raises(Conflict) as refused:
        fulfil(spread, 2, location="AMS")
    assert refused.value.code == "not_held"
    assert refused.value.data["lines"] == [
        {
            "variant_id": spread["variant_id"],
            "product_id": spread["variant_id"],
            "location": "AMS",
            "requested": 2,
            "held": 1,
        }
    ]
    with pytest.raises(Conflict) as refused:
        fulfil(spread, 3)
    assert [line["location"] for line in refused.value.data["lines"]] == ["AMS", "BER"]
    assert fulfil(spread, 2, location="BER")["location"] == "BER"
    assert eventually(lambda: there(spread) == {"AMS": 1})


def test_two_clerks_pack_at_two_places(spread, fulfil, together, there, state, eventually):
    """What one has packed is not there for the other, before inventory has heard of it."""
    outcomes = together(*[lambda: fulfil(spread, 2)] * 3)
    parcels = [one for one in outcomes if isinstance(one, dict)]
    assert sorted(parcel["location"] for parcel in parcels) == ["AMS", "BER"]
    assert state(spread)[0] == "partially_shipped"
    assert eventually(lambda: there(spread) == {"AMS": 1})


def test_the_whole_order_leaves_in_a_parcel_from_each_place(
    spread, call, there, state, eventually, sql
):
    """Each is booked at its own, by one movement."""
    call.orders.update(order_id=spread["id"], status="shipped", actor=STAFF)
    parcels = call.orders.list_fulfilments(order_id=spread["id"], actor=STAFF)["items"]
    sent = {parcel["location"]: parcel["items"] for parcel in parcels}
    assert sent == {"AMS": [{"line": 1, "quantity": 3}], "BER": [{"line": 1, "quantity": 2}]}
    assert eventually(lambda: there(spread) == {})
    booked = sql(
        "products",
        "SELECT location, delta_on_hand, delta_reserved FROM movements WHERE kind = 'ship'"
        " AND order_id = :id ORDER BY location",
        id=spread["id"],
    )
    assert [tuple(row.values()) for row in booked] == [("AMS", -3, -3), ("BER", -2, -2)]


@pytest.fixture
def cancel(call):
    """`cancel(order, 2, key="k")`: so many units of its line will not be sent."""

    def cancel_items(order, units, **request):
        items = [{"line": 1, "quantity": units}]
        return call.orders.cancel_items(order_id=order["id"], items=items, actor=STAFF, **request)

    return cancel_items


@pytest.fixture
def counted(call):
    """`counted(order, "cancelled")`: units by location, as inventory has them."""

    def look(order, what):
        lines = call.inventory.allocation(order_id=order["id"])["items"]
        return {line["location"]: line[what] for line in lines if line[what]}

    return look


def test_what_is_in_a_parcel_is_not_given_back(
    spread, fulfil, cancel, counted, call, place, pay, there, eventually
):
    """BER's two are packed when two are cancelled: somebody else gets those at AMS."""
    parcel = fulfil(spread, 2, location="BER", state="packing")
    cancel(spread, 2)
    assert eventually(lambda: counted(spread, "cancelled") == {"AMS": 2})
    other = place((spread["variant_id"], 2))
    pay(other)
    assert eventually(lambda: counted(other, "open") == {"AMS": 2})
    call.orders.update_fulfilment(fulfilment_id=parcel["id"], state="shipped", actor=STAFF)
    assert eventually(lambda: there(spread) == {"AMS": 3})
    assert counted(spread, "shipped") == {"BER": 2}


def test_what_is_cancelled_is_not_packed_before_inventory_has_heard(
    spread, fulfil, cancel, counted, config, there, eventually
):
    """The event is on its way for longer than it takes to pack: BER's two are not there."""
    engine = sa.create_engine(configuration.database_url(config, "products"))
    lock = "SELECT 1 FROM reservations WHERE order_id = :id FOR UPDATE"
    with engine.begin() as connection:
        connection.execute(sa.text(lock), {"id": spread["id"]})
        cancel(spread, 2)
        with pytest.raises(Conflict) as refused:
            fulfil(spread, 2, location="BER")
        assert refused.value.code == "not_held"
        assert counted(spread, "cancelled") == {}
    engine.dispose()
    assert eventually(lambda: counted(spread, "cancelled") == {"BER": 2})
    assert fulfil(spread, 3)["location"] == "AMS"
    assert eventually(lambda: there(spread) == {"BER": 2})


def test_a_repeat_needs_no_inventory(spread, fulfil, cancel, running):
    """What a key stands for is known here."""
    made, left = fulfil(spread, 1, key="k"), cancel(spread, 1, key="k")
    running["inventory"].kill()
    assert fulfil(spread, 1, key="k") == made | {"replayed": True}
    assert cancel(spread, 1, key="k")["items"] == left["items"]


def test_what_is_cancelled_is_free_again(spread, call, fulfil, there, eventually):
    """Two of five are cancelled: the others can leave, and nothing is held any more."""
    items = [{"line": 1, "quantity": 2}]
    call.orders.cancel_items(order_id=spread["id"], items=items, actor=STAFF)

    def is_free():
        return call.inventory.get(variant_id=spread["variant_id"])["available"] == 2

    assert eventually(is_free)
    call.orders.update(order_id=spread["id"], status="shipped", actor=STAFF)

    def has_left():
        level = call.inventory.get(variant_id=spread["variant_id"])
        return (level["on_hand"], level["reserved"]) == (2, 0)

    assert eventually(has_left)
