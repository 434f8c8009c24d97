"""Carts, and orders from them."""

import uuid

import pytest

from chassis.errors import Conflict, Invalid, NotFound
from orders.checkout import commands as checkout_commands
from orders.service import CartsService
from tests.integration.orders.world import ADDRESS, ADMIN, UsersStandIn


@pytest.fixture
def cart(running, start, call, buyer):
    """`cart.add_item(product_id=..., quantity=...)`: the buyer's cart."""
    start(CartsService)

    class Cart:
        def __getattr__(self, method):
            return lambda **kwargs: getattr(call.carts, method)(user_id=buyer["user_id"], **kwargs)

    return Cart()


def quantities(cart):
    return {line["product_id"]: line["quantity"] for line in cart["items"]}


def test_a_cart_from_first_to_last(cart, product):
    """Adding, changing, removing; each answers with the cart."""
    kettle, mug = product("10.00", 5), product("2.50", 3)
    assert cart.get() == {
        "items": [], "address": None, "subtotal": "0.00", "shipping": "0.00",
        "shipping_method": None, "net": "0.00", "tax": "0.00", "taxes": [], "total": "0.00",
        "currency": "EUR", "prices_include_tax": True,
    }  # fmt: skip
    cart.add_item(product_id=kettle, quantity=1)
    cart.add_item(product_id=kettle, quantity=1)
    full = cart.add_item(product_id=mug, quantity=2)
    assert full["total"] == "25.00"
    assert full["items"][1] == {
        "variant_id": mug, "product_id": mug, "sku": full["items"][1]["sku"], "options": {},
        "name": "Kettle", "quantity": 2, "unit_price": "2.50",
        "line_total": "5.00", "currency": "EUR", "available": 3, "price_changed": False,
    }  # fmt: skip
    assert quantities(cart.update_quantity(product_id=kettle, quantity=4)) == {kettle: 4, mug: 2}
    assert quantities(cart.remove_item(product_id=kettle, quantity=3)) == {kettle: 1, mug: 2}
    assert quantities(cart.remove_item(product_id=kettle, quantity=3)) == {mug: 2}
    assert quantities(cart.remove_item(product_id=kettle)) == {mug: 2}
    assert quantities(cart.remove_item(product_id=mug)) == {}
    cart.add_item(product_id=mug, quantity=1)
    assert cart.clear()["items"] == []


def test_a_cart_knows_where_it_is_to_go(cart, product):
    """Before anything is in it, and after everything is out; a postal code in the form that
    addresses have."""
    there = {"country": "NL", "region": None, "postal_code": "3511AB"}
    assert cart.set_address(country="NL", postal_code=" 3511ab ")["address"] == there
    cart.add_item(product_id=product(), quantity=1)
    assert cart.clear()["address"] == there
    assert cart.set_address(country="US", region="Oregon")["address"] == {
        "country": "US", "region": "Oregon", "postal_code": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("country", "XX"),
        ("country", None),
        ("postal_code", "12"),
        ("region", "x" * 101),
        ("city", "Utrecht"),
    ],
)
def test_no_address_at_all_is_refused(cart, field, value):
    """With the field that is wrong."""
    with pytest.raises(Invalid) as refused:
        cart.set_address(**{"country": "NL", field: value})
    assert set(refused.value.errors) == {field}
    assert cart.get()["address"] is None


def test_adds_at_once_all_count(cart, product, together):
    """Also the first ones, which meet before there is a cart."""
    kettle, mug = product(), product()
    together(
        *[lambda: cart.add_item(product_id=kettle, quantity=2)] * 5,
        *[lambda: cart.add_item(product_id=mug, quantity=1)] * 3,
    )
    assert quantities(cart.get()) == {kettle: 10, mug: 3}


def test_quantities_are_bounded(cart, product):
    """At most 1000 of a product, also in several steps; what does not fit changes nothing."""
    kettle = product()
    cart.add_item(product_id=kettle, quantity=600)
    for quantity in (401, 1001, 0, -1):
        with pytest.raises(Invalid) as refused:
            cart.add_item(product_id=kettle, quantity=quantity)
        assert "quantity" in refused.value.errors
    assert quantities(cart.add_item(product_id=kettle, quantity=400)) == {kettle: 1000}


def test_the_number_of_products_is_bounded(cart, product):
    """A hundred different ones, and no more; more of those that are there is fine."""
    products = [product() for _ in range(101)]
    for one in products[:100]:
        cart.add_item(product_id=one, quantity=1)
    with pytest.raises(Invalid) as refused:
        cart.add_item(product_id=products[100], quantity=1)
    assert "variant_id" in refused.value.errors
    assert len(cart.add_item(product_id=products[0], quantity=1)["items"]) == 100


def test_what_is_not_for_sale_is_not_put_in(cart, product):
    """Unknown products, and one of another currency than the rest."""
    with pytest.raises(Invalid):
        cart.add_item(product_id=4711, quantity=1)
    cart.add_item(product_id=product(), quantity=1)
    with pytest.raises(Invalid):
        cart.add_item(product_id=product(currency="USD"), quantity=1)
    assert len(cart.get()["items"]) == 1


def test_only_what_is_there_has_a_quantity_to_change(cart, product):
    """Changing is not adding."""
    with pytest.raises(NotFound):
        cart.update_quantity(product_id=product(), quantity=1)


def test_a_cart_shows_what_has_become_of_its_products(cart, product, call):
    """New prices are flagged until the product is added again; what has vanished is unavailable."""
    kettle, mug = product("10.00"), product("2.50")
    cart.add_item(product_id=kettle, quantity=1)
    cart.add_item(product_id=mug, quantity=1)
    call.products.update(product_id=kettle, price="12.00")
    call.products.delete(product_id=mug)
    first, second = cart.get()["items"]
    assert (first["unit_price"], first["price_changed"]) == ("12.00", True)
    assert (second["available"], second["unit_price"]) == (0, "2.50")
    again = cart.add_item(product_id=kettle, quantity=1)
    assert again["items"][0]["price_changed"] is False


def test_carts_are_private(cart, product, call):
    """Another user has another cart."""
    cart.add_item(product_id=product(), quantity=1)
    assert call.carts.get(user_id=str(uuid.uuid4()))["items"] == []


def test_an_order_of_the_cart_empties_it(cart, place, product, stock):
    """Its lines become the order's; the next order finds it empty."""
    kettle = product("10.00")
    cart.add_item(product_id=kettle, quantity=2)
    order = place()
    assert (order["total"], order["items"][0]["quantity"]) == ("20.00", 2)
    assert cart.get()["items"] == []
    with pytest.raises(Invalid) as refused:
        place()
    assert refused.value.errors == {"items": ["The cart is empty."]}
    assert stock(kettle) == (5, 2)


def test_a_refused_order_leaves_the_cart(cart, place, product):
    """Whoever could not buy has still put it aside."""
    kettle = product(stock=1)
    cart.add_item(product_id=kettle, quantity=2)
    with pytest.raises(Conflict) as refused:
        place()
    assert refused.value.data["lines"] == [
        {"variant_id": kettle, "product_id": kettle, "requested": 2, "available": 1}
    ]
    assert quantities(cart.get()) == {kettle: 2}


def test_a_repeat_of_a_cart_order_answers_the_first(cart, place, product):
    """The cart is empty by then, or has other things in it: the key counts."""
    cart.add_item(product_id=product(), quantity=1)
    first = place(key="once")
    assert place(key="once")["id"] == first["id"]
    cart.add_item(product_id=product(), quantity=1)
    assert place(key="once")["id"] == first["id"]
    assert len(cart.get()["items"]) == 1


def test_a_double_click_on_buy(cart, place, product, stock, together):
    """With one key it is one order; without, the second finds that the cart has changed."""
    kettle = product(stock=9)
    cart.add_item(product_id=kettle, quantity=1)
    orders = together(*[lambda: place(key="click")] * 3)
    assert len({order["id"] for order in orders}) == 1
    cart.add_item(product_id=kettle, quantity=1)
    answers = together(*[lambda: place()] * 3)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    refusals = {answer.code for answer in answers if not isinstance(answer, dict)}
    assert refusals <= {"cart_changed", "invalid"}
    assert stock(kettle) == (9, 2)


def test_a_cart_that_changes_during_the_checkout(cart, place, product, at, stock, sql):
    """No order is made of what the buyer no longer sees; nothing is held, and nothing is lost."""
    kettle, mug = product(stock=1), product()
    cart.add_item(product_id=kettle, quantity=1)
    at(checkout_commands.RESERVED, lambda: cart.add_item(product_id=mug, quantity=1))
    with pytest.raises(Conflict) as refused:
        place()
    assert refused.value.code == "cart_changed"
    assert stock(kettle) == (1, 0)
    assert quantities(cart.get()) == {kettle: 1, mug: 1}
    assert place()["status"] == "pending"


def test_a_price_that_moved_since_it_was_put_in(cart, place, product, call):
    """The buyer has to have seen the price: by the total they expect, or by adding again."""
    kettle = product("10.00")
    cart.add_item(product_id=kettle, quantity=1)
    call.products.update(product_id=kettle, price="12.00")
    changes = [{"variant_id": kettle, "product_id": kettle, "sent": "10.00", "current": "12.00"}]
    for request in ({}, {"expected_total": "10.00"}):
        with pytest.raises(Conflict) as refused:
            place(**request)
        assert refused.value.code == "price_changed"
        assert refused.value.data["lines"] == changes
    assert place(expected_total="12.00")["total"] == "12.00"


def test_another_total_of_the_same_prices_is_another_cart(cart, place, product):
    """Another tab has put something in that this one does not show."""
    kettle = product("10.00")
    cart.add_item(product_id=kettle, quantity=2)
    with pytest.raises(Conflict) as refused:
        place(expected_total="10.00")
    assert refused.value.code == "cart_changed"


def test_a_cart_with_a_vanished_product_is_not_ordered(cart, place, product, call):
    """It names what has to be taken out."""
    kettle = product()
    cart.add_item(product_id=kettle, quantity=1)
    call.products.delete(product_id=kettle)
    with pytest.raises(Invalid) as refused:
        place(shipping_address=ADDRESS)
    assert str(kettle) in refused.value.errors["items"][0]


def test_a_price_that_moved_to_another_currency(cart, place, product, call):
    """Also where the number is the same: the cart shows it, and nothing is ordered unseen."""
    kettle = product("10.00")
    cart.add_item(product_id=kettle, quantity=2)
    call.products.update(product_id=kettle, price="10.00", currency="KWD")
    (line,) = cart.get()["items"]
    assert (line["unit_price"], line["currency"], line["price_changed"]) == ("10.000", "KWD", True)
    assert (cart.get()["total"], cart.get()["currency"]) == ("20.000", "KWD")
    changes = [
        {"variant_id": kettle, "product_id": kettle, "sent": "10.00", "current": "10.000",
         "sent_currency": "EUR", "current_currency": "KWD"}
    ]  # fmt: skip
    for request in (
        {},
        {"expected_total": "20.00"},
        {"expected_total": "20.00", "currency": "EUR"},
    ):
        with pytest.raises(Conflict) as refused:
            place(**request)
        assert (refused.value.code, refused.value.data["lines"]) == ("price_changed", changes)
    order = place(expected_total="20.00", currency="KWD")
    assert (order["total"], order["currency"]) == ("20.000", "KWD")


def test_from_euros_to_yen(cart, place, product, call):
    """1500 yen are shown as yen; put in again, they are what the buyer has seen."""
    kettle = product("10.00")
    cart.add_item(product_id=kettle, quantity=1)
    call.products.update(product_id=kettle, price="1500", currency="JPY")
    shown = cart.get()
    assert (shown["total"], shown["currency"]) == ("1500", "JPY")
    again = cart.add_item(product_id=kettle, quantity=1)["items"][0]
    assert (again["price_changed"], again["currency"]) == (False, "JPY")
    order = place()
    assert (order["total"], order["currency"]) == ("3000", "JPY")


def test_a_cart_whose_currencies_have_parted(cart, place, product, call):
    """It has no total, is not ordered, and may be made whole again; the lines are named."""
    kettle, mug = product("10.00"), product("5.00")
    cart.add_item(product_id=kettle, quantity=1)
    cart.add_item(product_id=mug, quantity=1)
    call.products.update(product_id=kettle, price="1500", currency="JPY")
    shown = cart.get()
    assert (shown["total"], shown["currency"]) == (None, None)
    assert [line["currency"] for line in shown["items"]] == ["JPY", "EUR"]
    with pytest.raises(Invalid) as refused:
        place()
    assert refused.value.code == "mixed_currencies"
    assert refused.value.data["lines"] == [
        {"variant_id": kettle, "product_id": kettle, "currency": "JPY"},
        {"variant_id": mug, "product_id": mug, "currency": "EUR"},
    ]
    cart.remove_item(product_id=kettle)
    assert place()["total"] == "5.00"


def test_what_goes_with_the_cart_is_what_its_products_cost_now(cart, product, call):
    """A cart of what costs yen by now takes more of that, and no euros."""
    kettle = product("10.00")
    cart.add_item(product_id=kettle, quantity=1)
    call.products.update(product_id=kettle, price="1500", currency="JPY")
    with pytest.raises(Invalid) as refused:
        cart.add_item(product_id=product("5.00"), quantity=1)
    assert "variant_id" in refused.value.errors
    both = cart.add_item(product_id=product("300", currency="JPY"), quantity=1)
    assert (both["total"], both["currency"]) == ("1800", "JPY")


def test_variants_are_lines_of_their_own(cart, shirt, place):
    """Named by their ids; by their product only while one of them is meant."""
    jumper, small, medium = shirt("S", "M", stock=4)
    for named in ({"variant_id": small}, {"variant_id": medium}, {"variant_id": small}):
        full = cart.add_item(**named, quantity=1)
    assert [(one["variant_id"], one["quantity"], one["options"], one["available"])
            for one in full["items"]] == [
        (small, 2, {"Size": "S"}, 4), (medium, 1, {"Size": "M"}, 4),
    ]  # fmt: skip
    changes = [
        lambda: cart.add_item(product_id=jumper, quantity=1),
        lambda: cart.update_quantity(product_id=jumper, quantity=1),
        lambda: cart.remove_item(product_id=jumper),
    ]
    for change in changes:
        with pytest.raises(Conflict) as refused:
            change()
        assert refused.value.code == "choose_variant"
        (line,) = refused.value.data["lines"]
        assert [one["variant_id"] for one in line["variants"]] == [small, medium]
    assert cart.get() == full
    cart.remove_item(variant_id=small)
    assert cart.update_quantity(product_id=jumper, quantity=3)["items"][0]["quantity"] == 3
    order = place(expected_total="60.00")
    assert [line["variant_id"] for line in order["items"]] == [medium]


def test_a_product_is_put_in_as_its_only_variant(cart, shirt):
    """Whatever id that has."""
    cap, one_size = shirt("one")
    (line,) = cart.add_item(product_id=cap, quantity=1)["items"]
    assert (line["variant_id"], line["product_id"]) == (one_size, cap)
    assert cart.remove_item(product_id=cap)["items"] == []


@pytest.mark.parametrize("named", [{}, {"variant_id": 1, "product_id": 1}, {"variant_id": 4711}])
def test_what_names_no_variant_is_not_put_in(cart, product, named):
    """It is named once, and is there."""
    product()
    for change in (cart.add_item, cart.update_quantity):
        with pytest.raises((Invalid, NotFound)):
            change(**named, quantity=1)
    assert cart.get()["items"] == []


def test_a_variant_that_is_gone_stays_as_it_was(cart, shirt, call):
    """With none available; the other is still for sale, at its product's price of now."""
    jumper, small, medium = shirt("S", "M")
    cart.add_item(variant_id=small, quantity=1)
    cart.add_item(variant_id=medium, quantity=1)
    call.products.delete_variant(variant_id=small)
    call.products.update(product_id=jumper, price="22.00")
    first, second = cart.get()["items"]
    names = ("available", "options", "unit_price", "price_changed")
    assert [first[name] for name in names] == [0, {"Size": "S"}, "20.00", False]
    assert [second[name] for name in names] == [5, {"Size": "M"}, "22.00", True]


def test_where_a_cart_goes_that_nobody_has_said(call, cart, shirt, ships):
    """Then neither tax nor shipping is known."""
    _, small, _ = shirt("S", "M", price="11.90")
    call.orders.create_tax_rate(country="DE", rate="19", label="VAT", actor=ADMIN)
    ships("parcel", "4.95")
    homeless = {"user_id": UsersStandIn.HOMELESS}
    unknown = call.carts.add_item(variant_id=small, quantity=2, **homeless)
    assert (unknown["total"], unknown["tax"], unknown["shipping"]) == ("23.80", "0.00", None)
    assert unknown["address"] is None
    call.carts.clear(**homeless)


def test_a_cart_is_estimated_as_an_order_is_charged(cart, shirt, ships, call, place):
    """At its address: tax, the cheapest shipping and the total, at which it can be ordered."""
    _, small, _ = shirt("S", "M", price="11.90")
    cart.add_item(variant_id=small, quantity=2)
    for rate, country in (("19", "DE"), ("21", "NL")):
        call.orders.create_tax_rate(country=country, rate=rate, label=f"VAT {rate} %", actor=ADMIN)
    home = ships("express", "9.95", members=[{"country": "DE"}, {"country": "NL"}])
    ships("parcel", "4.95", zone_id=home)
    at_home = cart.get()
    assert (at_home["total"], at_home["tax"], at_home["shipping"]) == ("28.75", "4.59", "4.95")
    assert at_home["address"] == {one: ADDRESS.get(one) for one in at_home["address"]}
    cart.set_address(country="AT")
    nowhere = cart.get()
    assert (nowhere["total"], nowhere["shipping"], nowhere["shipping_method"]) == (
        "23.80", None, None,
    )  # fmt: skip
    there = cart.set_address(country="DE", postal_code="28195")
    assert (there["shipping"], there["shipping_method"]) == ("4.95", "parcel")
    assert (there["net"], there["tax"], there["total"]) == ("24.16", "4.59", "28.75")
    assert [(tax["label"], tax["taxable"], tax["amount"]) for tax in there["taxes"]] == [
        ("VAT 19 %", "24.16", "4.59")
    ]
    quoted = {quote["code"]: quote["total"] for quote in cart.shipping()["items"]}
    assert quoted == {"parcel": "28.75", "express": "33.75"}
    with pytest.raises(Conflict) as changed:
        place(shipping_method="express", expected_total=there["total"])
    assert (changed.value.code, changed.value.data["current"]) == ("cart_changed", "33.75")
    order = place(shipping_method="parcel", expected_total=there["total"])
    assert (order["total"], order["tax"]) == (there["total"], there["tax"])
    assert cart.get()["total"] == "0.00"
