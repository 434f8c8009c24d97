"""Orders and carts with tax, from rates to rows."""

import datetime

import pytest

from chassis.clock import Clock
from chassis.errors import Conflict
from orders.checkout import commands as checkout_commands
from orders.service import CartsService
from tests.integration.orders.world import ADDRESS, ADMIN


@pytest.fixture
def services(running, start):
    """The whole shop, with carts."""
    start(CartsService)


@pytest.fixture
def rate(running, call):
    """`rate("19")`, `rate("7", tax_class="books")`: what is delivered to Bremen bears."""

    def create(percent, **fields):
        vat = {"country": "DE", "rate": percent, "label": f"USt. {percent} %"}
        return call.orders.create_tax_rate(actor=ADMIN, **vat | fields)

    return create


def of_lines(order, *names):
    return [tuple(line[name] for name in names) for line in order["items"]]


def test_an_order_bears_the_tax_of_its_rates(rate, product, place):
    """In its prices, as most shops have them: what is paid is what was shown."""
    rate("19")
    rate("7", tax_class="books")
    mug, novel = product("9.99"), product("14.90", tax_class="books")
    order = place((mug, 3), (novel, 1), expected_total="44.87")
    assert (order["net"], order["tax"], order["total"]) == ("39.11", "5.76", "44.87")
    assert order["taxes"] == [
        {"tax_class": "books", "rate": "7", "label": "USt. 7 %", "reason": None,
         "taxable": "13.93", "amount": "0.97"},
        {"tax_class": "standard", "rate": "19", "label": "USt. 19 %", "reason": None,
         "taxable": "25.18", "amount": "4.79"},
    ]  # fmt: skip
    assert of_lines(order, "tax_class", "net", "tax", "total") == [
        ("standard", "25.18", "4.79", "29.97"),
        ("books", "13.93", "0.97", "14.90"),
    ]


@pytest.mark.parametrize(
    ("currency", "price", "net", "tax", "total"),
    [
        ("JPY", "333", "908", "91", "999"),
        ("KWD", "0.335", "0.914", "0.091", "1.005"),
        ("EUR", "3.35", "9.14", "0.91", "10.05"),
    ],
)
def test_tax_is_of_whole_coins(rate, product, place, sql, currency, price, net, tax, total):
    """There is no tenth of a yen, and the dinar has a thousand fils."""
    rate("10")
    order = place((product(price, currency=currency), 3), currency=currency)
    assert (order["net"], order["tax"], order["total"]) == (net, tax, total)
    (row,) = sql("orders", "SELECT taxable, amount FROM order_taxes")
    assert (str(row["taxable"]), str(row["amount"])) == (net, tax)


class TestPricesWithoutTax:
    """A shop for companies: tax is added."""

    @pytest.fixture
    def config(self, config):
        return config | {"orders": {**config.get("orders", {}), "prices_include_tax": False}}

    def test_tax_is_rounded_for_the_rate_and_divided(self, rate, product, place):
        """By the line it would be 7.48."""
        rate("21")
        items = (product("9.99"), 3), (product("4.95"), 1), (product("0.37"), 2)
        order = place(*items, expected_total="43.15")
        assert (order["subtotal"], order["net"], order["tax"]) == ("35.66", "35.66", "7.49")
        assert of_lines(order, "net", "tax") == [
            ("29.97", "6.29"), ("4.95", "1.04"), ("0.74", "0.16"),
        ]  # fmt: skip

    def test_a_quote_says_what_the_order_comes_to(
        self, services, rate, product, call, buyer, place
    ):
        """With the tax on goods and shipping together: by itself it would be 0.21 twice."""
        rate("21")
        zone = call.orders.create_shipping_zone(
            name="Germany", members=[{"country": "DE"}], actor=ADMIN
        )
        method = {"code": "parcel", "name": "Parcel", "price": "1.02", "currency": "EUR"}
        call.orders.create_shipping_method(zone_id=zone["id"], actor=ADMIN, **method)
        me = {"user_id": buyer["user_id"]}
        call.carts.add_item(**me, product_id=product("1.02"), quantity=1)
        (quote,) = call.carts.shipping(**me)["items"]
        assert (quote["price"], quote["total"]) == ("1.02", "2.47")
        order = place(expected_total="2.47", shipping_method="parcel")
        assert (order["shipping"], order["tax"], order["shipping_tax"]) == ("1.02", "0.43", "0.21")

    def test_a_total_without_the_tax_is_refused(self, rate, product, place):
        """Whoever was shown less has not agreed to more."""
        rate("21")
        mug = product("10.00")
        with pytest.raises(Conflict) as refused:
            place((mug, 1), expected_total="10.00")
        assert refused.value.code == "price_changed"
        assert (refused.value.data["sent"], refused.value.data["current"]) == ("10.00", "12.10")
        assert place((mug, 1), expected_total="12.10")["total"] == "12.10"


def test_a_rate_that_ends_taxes_no_more(rate, call, product, place, clock):
    """The orders before keep it; the next ones have the next rate."""
    mug = product("10.00", stock=9)
    old = rate("19")
    before = place((mug, 1))
    turn = (Clock.source() + datetime.timedelta(minutes=1)).isoformat()
    call.orders.end_tax_rate(tax_rate_id=old["id"], valid_until=turn, actor=ADMIN)
    rate("21", valid_from=turn)
    clock.advance(minutes=2)
    after = place((mug, 1))
    assert [one["taxes"][0]["rate"] for one in (before, after)] == ["19", "21"]
    assert call.orders.get(order_id=before["id"])["taxes"] == before["taxes"]
    assert (before["tax"], after["tax"]) == ("1.60", "1.74")


def test_the_region_goes_before_the_country(rate, product, place):
    """However the buyer writes it."""
    rate("2", country="US")
    rate("7.25", country="US", region="CA")
    address = ADDRESS | {"country": "US", "city": "Fresno", "postal_code": "93650"}
    mug = product("10.00", stock=9)
    for region, percent in (("California", "7.25"), ("ca", "7.25"), ("NY", "2")):
        code = "93650" if percent == "7.25" else "10001"
        order = place((mug, 1), shipping_address=address | {"region": region, "postal_code": code})
        assert [tax["rate"] for tax in order["taxes"]] == [percent]


def test_a_rate_of_nothing_is_shown(rate, product, place):
    """With its reason; what has no rate is not."""
    rate("0", reason="zero_rated", tax_class="books", label="Books")
    order = place((product("10.00", tax_class="books"), 1), (product("5.00"), 1))
    assert [(tax["reason"], tax["taxable"], tax["amount"]) for tax in order["taxes"]] == [
        ("zero_rated", "10.00", "0.00")
    ]
    assert (order["net"], order["tax"]) == ("15.00", "0.00")


def test_a_checkout_that_is_taken_up_is_taxed_where_it_goes(rate, product, place, at, call):
    """By the repeat of its request, after a crash in between."""
    rate("19")
    mug = product("11.90")

    def crash():
        raise RuntimeError("the process dies")

    at(checkout_commands.ENTERED, crash)
    with pytest.raises(Exception):  # noqa: B017, PT011  (whatever a dead process looks like)
        place((mug, 1), key="k")
    assert place((mug, 1), key="k")["tax"] == "1.90"


def test_a_cart_estimates_what_its_order_comes_to(services, rate, product, call, buyer, place):
    """Once it knows where it is to go."""
    rate("19")
    me = {"user_id": buyer["user_id"]}
    cart = call.carts.add_item(**me, product_id=product("11.90"), quantity=2)
    assert (cart["tax"], cart["taxes"], cart["total"]) == ("0.00", [], "23.80")
    cart = call.carts.set_address(**me, country="DE")
    assert (cart["net"], cart["tax"], cart["total"]) == ("20.00", "3.80", "23.80")
    order = place(expected_total=cart["total"])
    assert {name: order[name] for name in ("net", "tax", "taxes", "total")} == {
        name: cart[name] for name in ("net", "tax", "taxes", "total")
    }
