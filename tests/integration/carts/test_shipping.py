"""What shipping a cart costs."""

import pytest

from chassis.errors import Invalid
from orders.service import CartsService
from tests.integration.orders.world import UsersStandIn


@pytest.fixture
def carts(running, start, call):
    start(CartsService)
    return call.carts


@pytest.fixture
def fill(carts, buyer):
    """`fill((product_id, quantity), ...)`: the buyer's cart has these."""

    def put_in(*items):
        carts.clear(user_id=buyer["user_id"])
        for product_id, quantity in items:
            carts.add_item(user_id=buyer["user_id"], product_id=product_id, quantity=quantity)

    return put_in


@pytest.fixture
def quoted(carts, buyer):
    """`quoted()`: the price of each method, in order."""

    def ask():
        quotes = carts.shipping(user_id=buyer["user_id"])["items"]
        return [(quote["code"], quote["price"]) for quote in quotes]

    return ask


def test_a_shop_without_methods_asks_for_none(carts, fill, buyer, product):
    """A zone alone is no way to ship."""
    fill((product(), 1))
    assert carts.shipping(user_id=buyer["user_id"]) == {"items": []}


def test_each_method_that_carries_the_cart_has_its_price(call, quoted, fill, product, ships):
    """From `free_from` on nothing, by the cart as it is now; in the cart's currency."""
    home = ships("standard", free_from="50.00", min_days=1, max_days=3)
    ships("express", "9.95", zone_id=home)
    ships("dollars", "1.00", zone_id=home, currency="USD")
    kettle = product("24.99")
    fill((kettle, 2))
    assert quoted() == [("standard", "4.95"), ("express", "9.95")]
    call.products.update(product_id=kettle, price="25.00")
    assert quoted() == [("standard", "0.00"), ("express", "9.95")]
    fill((product("50.00", currency="USD"), 1))
    assert quoted() == [("dollars", "1.00")]


def test_a_quote_says_when_it_comes(carts, fill, buyer, product, ships):
    """And from which price of goods it costs nothing."""
    ships("standard", free_from="50.00", min_days=1, max_days=3)
    fill((product(), 1))
    assert carts.shipping(user_id=buyer["user_id"])["items"] == [
        {
            "code": "standard", "name": "Standard", "price": "4.95", "total": "14.95",
            "currency": "EUR",
            "free_from": "50.00", "min_days": 1, "max_days": 3,
        }
    ]  # fmt: skip


def test_it_goes_by_the_address(carts, quoted, fill, buyer, product, ships):
    """The cart's, else the default one: the zone that says most of it; to where there is none,
    nothing goes."""
    ships("elsewhere", members=[{"country": "AT"}])
    fill((product(), 1))
    assert quoted() == []
    ships("country", members=[{"country": "DE"}])
    assert quoted() == [("country", "4.95")]
    buyers = {"user_id": buyer["user_id"]}
    carts.set_address(**buyers, country="AT")
    assert quoted() == [("elsewhere", "4.95")]
    carts.set_address(**buyers, country="DE", postal_code="28195")
    assert quoted() == [("country", "4.95")]
    ships("town", members=[{"country": "DE", "postal_from": "28", "postal_to": "28"}])
    assert quoted() == [("town", "4.95")]


def test_a_method_that_is_switched_off_is_not_offered(call, carts, fill, buyer, product, ships):
    """Nor is anything asked, when it was the only one."""
    ships("standard")
    (method,) = call.orders.list_shipping_methods()["items"]
    call.orders.update_shipping_method(method_id=method["id"], active=False)
    fill((product(), 1))
    assert carts.shipping(user_id=buyer["user_id"]) == {"items": []}


def test_what_can_be_quoted_to_nobody(call, carts, fill, buyer, product, ships):
    """Without an address, or a cart that has come to have two currencies."""
    ships("standard")
    with pytest.raises(Invalid) as homeless:
        carts.shipping(user_id=UsersStandIn.HOMELESS)
    assert homeless.value.code == "address_needed"
    kettle = product()
    fill((product(), 1), (kettle, 1))
    call.products.update(product_id=kettle, currency="USD")
    with pytest.raises(Invalid) as mixed:
        carts.shipping(user_id=buyer["user_id"])
    assert mixed.value.code == "mixed_currencies"
