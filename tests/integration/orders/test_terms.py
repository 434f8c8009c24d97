"""Orders with tax and shipping: charged as set up at that moment, and frozen."""

import datetime

import pytest

from chassis.errors import Conflict, Invalid
from orders.checkout import commands as checkout_commands
from tests.integration.orders.world import ADDRESS, ADMIN, STAFF, crash


@pytest.fixture
def taxed(running, call):
    """`taxed("21", country="NL")`: what is delivered there is taxed so, in Germany if not said."""

    def set_up(rate="19", country="DE", **fields):
        label = f"VAT {rate} %"
        return call.orders.create_tax_rate(
            country=country, rate=rate, label=label, actor=ADMIN, **fields
        )

    return set_up


def amounts(order):
    names = ("subtotal", "shipping", "shipping_tax", "net", "tax", "total")
    return [order[name] for name in names]


def test_tax_is_in_the_prices(place, product, taxed, told, pay, call):
    """The buyer pays what they were shown, and the order says what of it is tax."""
    taxed()
    order = place((product("11.90"), 2), expected_total="23.80")
    assert amounts(order) == ["23.80", "0.00", "0.00", "20.00", "3.80", "23.80"]
    assert order["taxes"] == [
        {"tax_class": "standard", "rate": "19", "label": "VAT 19 %", "reason": None,
         "taxable": "20.00", "amount": "3.80"},
    ]  # fmt: skip
    (line,) = order["items"]
    assert [line[name] for name in ("net", "tax", "total")] == ["20.00", "3.80", "23.80"]
    assert call.orders.get(order_id=order["id"], actor=STAFF) == {
        name: value for name, value in order.items() if name != "replayed"
    }
    assert pay(order)["amount"] == "23.80"


@pytest.mark.parametrize("orders_settings", [{"prices_include_tax": False}])
def test_tax_is_added_to_the_prices(place, product, taxed, ships):
    """Rounded once for all that has one rate, shipping with it; each line has its part."""
    taxed("21")
    ships("parcel", "5.00")
    lines = [(product(price), number) for price, number in (("9.99", 3), ("4.95", 1), ("0.37", 2))]
    order = place(*lines, shipping_method="parcel", expected_total="49.20")
    assert amounts(order) == ["35.66", "5.00", "1.05", "40.66", "8.54", "49.20"]
    assert [line["tax"] for line in order["items"]] == ["6.29", "1.04", "0.16"]
    assert (order["shipping_method"], order["shipping_name"]) == ("parcel", "Parcel")
    assert order["prices_include_tax"] is False


@pytest.mark.parametrize(
    ("country", "total"), [("DE", "119.00"), ("NL", "121.00"), ("US", "100.00")]
)
@pytest.mark.parametrize("orders_settings", [{"prices_include_tax": False}])
def test_where_it_goes_decides_the_rate(place, product, taxed, country, total):
    """And nothing is taxed where there is no rate."""
    taxed("19")
    taxed("21", "NL")
    address = ADDRESS | {"country": country, "postal_code": "20095"}
    if country == "NL":
        address["postal_code"] = "3511 AB"
    if country == "US":
        address["region"] = "NY"
    assert place((product("100.00"), 1), shipping_address=address)["total"] == total


def test_a_shop_that_ships_needs_to_know_how(place, product, ships, stock):
    """By a method that it has not, and to where it has none: nothing is held then."""
    kettle = product()
    assert place((kettle, 1))["shipping"] == "0.00"
    ships("parcel")
    elsewhere = ADDRESS | {"country": "NL", "postal_code": "3511 AB"}
    for code, request in (
        ("unknown_shipping_method", {"shipping_method": "drone"}),
        ("no_shipping", {"shipping_method": "parcel", "shipping_address": elsewhere}),
    ):
        with pytest.raises(Invalid) as refused:
            place((kettle, 1), **request)
        assert refused.value.code == code
        assert stock(kettle) == (5, 1)
    for garbage in ("A B", "x" * 51, 7, {"code": "parcel"}):
        with pytest.raises(Invalid):
            place((kettle, 1), shipping_method=garbage)


@pytest.mark.parametrize("seen", ["9.99", "14.93", "14.95"])
def test_the_total_that_was_shown_has_all_in_it(place, product, ships, taxed, stock, seen):
    """Another one stops the order, and names both."""
    ships("parcel", "4.95")
    taxed()
    kettle = product("9.99")
    with pytest.raises(Conflict) as changed:
        place((kettle, 1), shipping_method="parcel", expected_total=seen)
    assert changed.value.code == "price_changed"
    assert changed.value.data == {"sent": seen, "current": "14.94"}
    assert stock(kettle) == (5, 0)
    order = place((kettle, 1), shipping_method="parcel", expected_total="14.94")
    assert order["total"] == "14.94"


def test_what_is_set_up_later_changes_no_order(place, product, taxed, ships, call, clock):
    """A repeat of its request gets it as it was, too."""
    rate = taxed("19")
    order = place((product("11.90"), 1), key="once")
    call.orders.end_tax_rate(tax_rate_id=rate["id"], actor=ADMIN)
    clock.advance(seconds=5)
    taxed("7")
    ships("parcel")
    assert place((order["items"][0]["product_id"], 1), key="once") == order | {"replayed": True}
    assert call.orders.get(order_id=order["id"], actor=STAFF)["tax"] == "1.90"


def test_a_checkout_that_is_taken_up_again_has_the_terms_of_then(
    place, product, taxed, ships, at, stock
):
    """Those of the address that it has kept, when its repeat comes."""
    ships("parcel", "4.95")
    kettle = product("11.90")
    at(checkout_commands.RESERVED, crash)
    with pytest.raises(Exception, match="internal"):
        place((kettle, 1), key="again", shipping_method="parcel")
    taxed()
    order = place((kettle, 1), key="again", shipping_method="parcel")
    assert amounts(order) == ["11.90", "4.95", "0.79", "14.16", "2.69", "16.85"]
    assert stock(kettle) == (5, 1)


def test_the_key_stands_for_the_method_as_well(place, product, ships):
    """Another one is another request."""
    home = ships("parcel")
    ships("express", "9.95", zone_id=home)
    kettle = product()
    place((kettle, 1), key="once", shipping_method="parcel")
    with pytest.raises(Invalid):
        place((kettle, 1), key="once", shipping_method="express")


def test_a_rate_that_is_over_is_not_charged(place, product, taxed, clock):
    """And one that has not begun is not either."""
    now = clock()
    taxed("19", valid_from=now, valid_until=now + datetime.timedelta(minutes=5))
    taxed("7", valid_from=now + datetime.timedelta(minutes=5))
    kettle = product("10.70")
    assert place((kettle, 1))["tax"] == "1.71"
    clock.advance(minutes=6)
    assert place((kettle, 1))["tax"] == "0.70"


def test_free_shipping_is_judged_at_checkout(place, product, ships, call):
    """By the prices of now: what was free when it was shown is another total."""
    ships("parcel", "4.95", free_from="20.00")
    kettle = product("10.00")
    assert place((kettle, 2), shipping_method="parcel")["total"] == "20.00"
    call.products.update(product_id=kettle, price="9.99")
    with pytest.raises(Conflict) as changed:
        place((kettle, 2), shipping_method="parcel", expected_total="20.00")
    assert changed.value.data == {"sent": "20.00", "current": "24.93"}
