"""How a cart is shown."""

from decimal import Decimal
from types import SimpleNamespace

from orders.cart import queries as cart_queries


def line(product_id, quantity=1, price="5.00", currency="EUR"):
    return SimpleNamespace(
        variant_id=product_id,
        product_id=product_id,
        sku=f"K-{product_id}",
        options={},
        quantity=quantity,
        unit_price=Decimal(price),
        currency=currency,
        name=f"then {product_id}",
    )


def product(product_id, price="5.00", available=9, currency="EUR"):
    return {
        "id": product_id,
        "name": f"now {product_id}",
        "price": Decimal(price),
        "currency": currency,
        "available": available,
    }


def test_a_cart_shows_products_as_they_are_now():
    """Name, price and availability are live; a price that moved is flagged."""
    contents = cart_queries.Contents(3, [line(1, 2, "4.00"), line(2)])
    shown = cart_queries.view(contents, {1: product(1), 2: product(2, available=0)}, "EUR")
    assert shown == {
        "items": [
            {"variant_id": 1, "product_id": 1, "sku": "K-1", "options": {},
             "name": "now 1", "quantity": 2, "unit_price": Decimal("5.00"),
             "line_total": Decimal("10.00"), "currency": "EUR", "available": 9,
             "price_changed": True},
            {"variant_id": 2, "product_id": 2, "sku": "K-2", "options": {},
             "name": "now 2", "quantity": 1, "unit_price": Decimal("5.00"),
             "line_total": Decimal("5.00"), "currency": "EUR", "available": 0,
             "price_changed": False},
        ],
        "address": None,
        "total": Decimal("15.00"),
        "currency": "EUR",
    }  # fmt: skip


def test_a_vanished_product_does_not_break_the_cart():
    """It keeps its last name and price, with none available."""
    (shown,) = cart_queries.view(cart_queries.Contents(1, [line(1)]), {1: None}, "EUR")["items"]
    assert (shown["name"], shown["available"], shown["price_changed"]) == ("then 1", 0, False)


def test_an_empty_cart():
    """Nothing costs nothing, in the shop's currency."""
    assert cart_queries.view(cart_queries.Contents(0, []), {}, "SEK") == {
        "items": [],
        "address": None,
        "total": Decimal("0.00"),
        "currency": "SEK",
    }


def test_a_price_in_another_currency_is_another_price():
    """The line shows the currency of the price beside it, and so does the sum."""
    contents = cart_queries.Contents(1, [line(1, 2, "10.00")])
    shown = cart_queries.view(contents, {1: product(1, "10.00", currency="KWD")}, "EUR")
    assert (shown["items"][0]["currency"], shown["items"][0]["price_changed"]) == ("KWD", True)
    assert (shown["total"], shown["currency"]) == (Decimal("20.00"), "KWD")


def test_amounts_of_two_currencies_are_not_added():
    """There is no total then; each line has its own."""
    contents = cart_queries.Contents(1, [line(1, 1, "10.00"), line(2, 1, "5.00"), line(3)])
    products = {1: product(1, "1500.00", currency="JPY"), 2: product(2), 3: None}
    shown = cart_queries.view(contents, products, "EUR")
    assert [item["currency"] for item in shown["items"]] == ["JPY", "EUR", "EUR"]
    assert [item["price_changed"] for item in shown["items"]] == [True, False, False]
    assert (shown["total"], shown["currency"]) == (None, None)


def test_the_prices_at_adding_are_what_the_buyer_was_shown():
    """A checkout of the cart compares with them."""
    (wanted,) = cart_queries.Contents(1, [line(1, 3, "4.00", "USD")]).wanted()
    assert (wanted.quantity, wanted.shown, wanted.currency) == (3, (Decimal("4.00"),), "USD")
