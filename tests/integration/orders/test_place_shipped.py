"""Orders that are shipped by a method: asked for, charged, kept."""

import pytest

from chassis.errors import Conflict, Invalid
from orders.checkout import commands as checkout_commands
from tests.integration.orders.world import ADDRESS, crash


@pytest.fixture
def refused(stock, sql):
    """`refused(kettle, place, ...)`: the code of the refusal; nothing is held or written for it."""

    def check(product_id, call, *args, **kwargs):
        with pytest.raises((Invalid, Conflict)) as caught:
            call(*args, **kwargs)
        assert stock(product_id)[1] == 0
        assert sql("orders", "SELECT FROM checkouts") == []
        assert sql("orders", "SELECT FROM orders") == []
        return caught.value

    return check


def test_the_order_says_how_it_is_shipped(place, product, ships):
    """And what that costs, in its total; what becomes of the method later is not its business."""
    ships("standard", "4.95", free_from="50.00")
    order = place((product("10.00"), 2), shipping_method="standard")
    assert (order["subtotal"], order["shipping"], order["total"]) == ("20.00", "4.95", "24.95")
    assert (order["shipping_method"], order["shipping_name"]) == ("standard", "Standard")
    assert order["shipping_tax_class"] == "standard"
    assert (order["net"], order["tax"]) == ("24.95", "0.00")


def test_what_is_charged_stays(call, place, pay, product, ships):
    """Another price, or no method at all, changes no order that is placed."""
    zone = ships("standard", "4.95")
    order = place((product("10.00"), 1), shipping_method="standard")
    (method,) = call.orders.list_shipping_methods()["items"]
    call.orders.update_shipping_method(method_id=method["id"], price="9.00")
    call.orders.delete_shipping_zone(zone_id=zone)
    assert pay(order)["amount"] == "14.95"
    now = call.orders.get(order_id=order["id"])
    assert (now["shipping"], now["shipping_name"]) == ("4.95", "Standard")


def test_who_names_no_method_gets_the_cheapest(place, product, ships, refused):
    """Of those that carry these goods there, as a cart shows it; the fault names them."""
    zone = ships("standard", "4.95")
    ships("dollars", "1.00", zone_id=zone, currency="USD")
    kettle = product("10.00")
    ships("express", "9.95", zone_id=zone)
    for code in ("dollars", "pigeon"):
        unknown = refused(kettle, place, (kettle, 1), shipping_method=code)
        assert unknown.code == "unknown_shipping_method"
        assert unknown.data["methods"] == ["standard", "express"]
        assert set(unknown.errors) == {"shipping_method"}
    order = place((kettle, 1))
    assert (order["shipping_method"], order["shipping"], order["total"]) == (
        "standard", "4.95", "14.95",
    )  # fmt: skip


def test_a_currency_without_methods_is_shipped_for_nothing(place, product, ships):
    """Whoever sells in another currency has not set its shipping up yet."""
    ships("standard", "4.95")
    order = place((product("1200", currency="JPY"), 1))
    assert (order["shipping_method"], order["total"]) == (None, "1200")


def test_a_shop_without_methods_asks_for_none(place, product, refused):
    """And knows none."""
    kettle = product("10.00")
    fault = refused(kettle, place, (kettle, 1), shipping_method="standard")
    assert fault.code == "unknown_shipping_method"
    order = place((kettle, 1))
    assert (order["shipping"], order["shipping_method"]) == ("0.00", None)


def test_where_nothing_goes_nothing_is_ordered(place, product, ships, refused):
    """As soon as the shop ships to anywhere, in this currency."""
    ships("standard", members=[{"country": "AT"}])
    kettle = product("10.00")
    for method in ({}, {"shipping_method": "standard"}):
        assert refused(kettle, place, (kettle, 1), **method).code == "no_shipping"
    vienna = ADDRESS | {"country": "AT", "city": "Wien", "postal_code": "1010"}
    order = place((kettle, 1), shipping_address=vienna, shipping_method="standard")
    assert order["shipping"] == "4.95"


def test_what_says_most_of_the_address_decides(place, product, ships):
    """The same code costs something else there."""
    ships("standard", "4.95")
    ships("standard", "9.95", members=[{"country": "DE", "postal_from": "281", "postal_to": "283"}])
    kettle = product("10.00")
    assert place((kettle, 1), shipping_method="standard")["shipping"] == "9.95"
    berlin = ADDRESS | {"city": "Berlin", "postal_code": "10115"}
    order = place((kettle, 1), shipping_address=berlin, shipping_method="standard")
    assert order["shipping"] == "4.95"


def test_a_method_carries_so_many_grams(call, place, product, ships):
    """Those of all units together, the limit included; what has no weight weighs nothing."""
    zone = ships("letter", "1.10", max_weight_g=100)
    ships("parcel", "4.95", zone_id=zone, min_weight_g=101, max_weight_g=30_000)
    card, light = product("10.00"), product("10.00")
    call.products.update_variant(variant_id=card, weight_g=50)
    order = place((card, 2), (light, 1), shipping_method="letter")
    assert order["shipping"] == "1.10"
    call.orders.cancel(order_id=order["id"])
    with pytest.raises(Invalid) as heavy:
        place((card, 3), shipping_method="letter")
    assert heavy.value.data["methods"] == ["parcel"]
    call.products.update_variant(variant_id=card, weight_g=30_001)
    with pytest.raises(Invalid) as heavier:
        place((card, 1), shipping_method="parcel")
    assert heavier.value.code == "no_shipping"


@pytest.mark.parametrize(("price", "shipping"), [("24.99", "4.95"), ("25.00", "0.00")])
def test_it_is_free_from_so_much_on(place, product, ships, price, shipping):
    """A cent below it costs all of it."""
    ships("standard", "4.95", free_from="50.00")
    order = place((product(price), 2), shipping_method="standard")
    assert order["shipping"] == shipping


def test_free_shipping_is_judged_again(call, place, product, ships, refused):
    """The goods have become cheaper than the limit: the total is not the one that was shown."""
    ships("standard", "4.95", free_from="50.00")
    kettle = product("25.00")
    call.products.update(product_id=kettle, price="24.00")
    shown = {"shipping_method": "standard", "expected_total": "50.00"}
    fault = refused(kettle, place, (kettle, 2), **shown)
    assert (fault.code, fault.data["current"]) == ("price_changed", "52.95")


def test_a_repeat_is_the_same_order(call, place, product, ships):
    """Though the method costs something else by then; with another method it is another request."""
    zone = ships("standard", "4.95")
    ships("express", "9.95", zone_id=zone)
    kettle = product("10.00")
    request = {"shipping_method": "standard", "key": "once"}
    order = place((kettle, 1), **request)
    call.orders.delete_shipping_zone(zone_id=zone)
    assert place((kettle, 1), **request) == order | {"replayed": True}
    with pytest.raises(Invalid) as reused:
        place((kettle, 1), shipping_method="express", key="once")
    assert reused.value.code == "idempotency_key_reused"


def test_a_crash_in_between_is_finished_at_the_price_of_now(call, at, place, product, ships):
    """By the repeat, which knows the method that was chosen, and whose total has to be right."""
    ships("standard", "4.95")
    kettle = product("10.00")
    request = {"shipping_method": "standard", "key": "once"}
    at(checkout_commands.RESERVED, crash)
    with pytest.raises(Exception, match="internal"):
        place((kettle, 1), **request)
    (method,) = call.orders.list_shipping_methods()["items"]
    call.orders.update_shipping_method(method_id=method["id"], price="5.95")
    order = place((kettle, 1), **request)
    assert (order["shipping"], order["total"], order["replayed"]) == ("5.95", "15.95", True)


def test_an_order_is_readdressed_within_its_zone(call, place, buyer, product, ships):
    """To where shipping costs something else, or nothing goes, it is not: the total stays."""
    ships("standard", "4.95")
    ships("standard", "9.95", members=[{"country": "DE", "postal_from": "26", "postal_to": "27"}])
    order = place((product("10.00"), 1), shipping_method="standard")
    of_it = {"order_id": order["id"], "actor": buyer}
    berlin = ADDRESS | {"city": "Berlin", "postal_code": "10115"}
    moved = call.orders.update(**of_it, shipping_address=berlin)
    assert (moved["shipping_address"]["city"], moved["total"]) == ("Berlin", "14.95")
    for elsewhere in (
        ADDRESS | {"city": "Norderney", "postal_code": "26548"},
        ADDRESS | {"country": "AT", "city": "Wien", "postal_code": "1010"},
    ):
        with pytest.raises(Conflict) as refused:
            call.orders.update(**of_it, shipping_address=elsewhere)
        assert refused.value.code == "address_changes_price"
    assert call.orders.get(order_id=order["id"]) == moved


def test_nor_to_where_there_is_another_tax(call, place, buyer, product):
    """Without any, and without methods, it may go anywhere."""
    order = place((product("10.00"), 1))
    of_it = {"order_id": order["id"], "actor": buyer}
    vienna = ADDRESS | {"country": "AT", "city": "Wien", "postal_code": "1010"}
    assert call.orders.update(**of_it, shipping_address=vienna)["version"] == 2
    call.orders.create_tax_rate(country="DE", rate="19", label="19 %")
    with pytest.raises(Conflict) as refused:
        call.orders.update(**of_it, shipping_address=ADDRESS)
    assert refused.value.code == "address_changes_price"


def test_shipping_is_taxed_by_the_class_of_its_method(call, place, product, ships):
    """As goods are: by the rate of the address, in the price or on it as the shop has set."""
    for tax_class, rate in (("standard", "19"), ("reduced", "7")):
        call.orders.create_tax_rate(country="DE", tax_class=tax_class, rate=rate, label=f"{rate} %")
    ships("standard", "10.70", tax_class="reduced")
    order = place((product("11.90"), 1), shipping_method="standard")
    assert (order["total"], order["tax"], order["shipping_tax"]) == ("22.60", "2.60", "0.70")
    assert [(one["tax_class"], one["amount"]) for one in order["taxes"]] == [
        ("reduced", "0.70"), ("standard", "1.90"),
    ]  # fmt: skip
