"""How a cart is shown."""

from decimal import Decimal
from types import SimpleNamespace

from orders import carts


def line(product_id, quantity=1, price="5.00"):
    return SimpleNamespace(
        product_id=product_id,
        quantity=quantity,
        unit_price=Decimal(price),
        currency="EUR",
        name=f"then {product_id}",
    )


def product(product_id, price="5.00", available=9):
    return {
        "id": product_id,
        "name": f"now {product_id}",
        "price": Decimal(price),
        "currency": "EUR",
        "available": available,
    }


def test_a_cart_shows_products_as_they_are_now():
    """Name, price and availability are live; a price that moved is flagged."""
    contents = carts.Contents(3, [line(1, 2, "4.00"), line(2)])
    shown = carts.view(contents, {1: product(1), 2: product(2, available=0)})
    assert shown == {
        "items": [
            {"product_id": 1, "name": "now 1", "quantity": 2, "unit_price": Decimal("5.00"),
             "line_total": Decimal("10.00"), "available": 9, "price_changed": True},
            {"product_id": 2, "name": "now 2", "quantity": 1, "unit_price": Decimal("5.00"),
             "line_total": Decimal("5.00"), "available": 0, "price_changed": False},
        ],
        "total": Decimal("15.00"),
        "currency": "EUR",
    }  # fmt: skip


def test_a_vanished_product_does_not_break_the_cart():
    """It keeps its last name and price, with none available."""
    (shown,) = carts.view(carts.Contents(1, [line(1)]), {1: None})["items"]
    assert (shown["name"], shown["available"], shown["price_changed"]) == ("then 1", 0, False)


def test_an_empty_cart():
    """Nothing costs nothing."""
    assert carts.view(carts.Contents(0, []), {}) == {
        "items": [],
        "total": Decimal("0.00"),
        "currency": "EUR",
    }


def test_the_prices_at_adding_are_what_the_buyer_was_shown():
    """A checkout of the cart compares with them."""
    (wanted,) = carts.Contents(1, [line(1, 3, "4.00")]).wanted()
    assert (wanted.quantity, wanted.shown) == (3, (Decimal("4.00"),))
