"""How a cart is shown."""

import datetime
from decimal import Decimal
from types import SimpleNamespace

from orders.cart import queries as cart_queries
from orders.terms.rules import NO_TERMS, Charges

NOW = datetime.datetime(2031, 5, 1, tzinfo=datetime.UTC)
CHARGES = Charges(NO_TERMS, NOW, prices_include_tax=True)


def line(variant_id, quantity=1, price="5.00", currency="EUR"):
    return SimpleNamespace(
        variant_id=variant_id,
        product_id=variant_id,
        sku=f"K-{variant_id}",
        options={},
        quantity=quantity,
        unit_price=Decimal(price),
        currency=currency,
        name=f"then {variant_id}",
    )


def variant(variant_id, price="5.00", available=9, currency="EUR"):
    return {
        "id": variant_id,
        "product_id": variant_id,
        "sku": f"N-{variant_id}",
        "name": f"now {variant_id}",
        "options": {"Size": "M"},
        "price": Decimal(price),
        "currency": currency,
        "tax_class": "standard",
        "weight_g": 0,
        "available": available,
    }


def test_a_cart_shows_variants_as_they_are_now():
    """Name, price and availability are live; a price that moved is flagged."""
    contents = cart_queries.Contents(3, [line(1, 2, "4.00"), line(2)])
    shown = cart_queries.view(contents, {1: variant(1), 2: variant(2, available=0)}, CHARGES, "EUR")
    assert shown == {
        "items": [
            {"variant_id": 1, "product_id": 1, "sku": "N-1", "options": {"Size": "M"},
             "name": "now 1", "quantity": 2, "unit_price": Decimal("5.00"),
             "line_total": Decimal("10.00"), "currency": "EUR", "available": 9,
             "price_changed": True},
            {"variant_id": 2, "product_id": 2, "sku": "N-2", "options": {"Size": "M"},
             "name": "now 2", "quantity": 1, "unit_price": Decimal("5.00"),
             "line_total": Decimal("5.00"), "currency": "EUR", "available": 0,
             "price_changed": False},
        ],
        "address": None,
        "subtotal": Decimal("15.00"),
        "shipping": Decimal("0.00"),
        "shipping_method": None,
        "net": Decimal("15.00"),
        "tax": Decimal("0.00"),
        "taxes": (),
        "total": Decimal("15.00"),
        "currency": "EUR",
        "prices_include_tax": True,
    }  # fmt: skip


def test_a_vanished_product_does_not_break_the_cart():
    """It keeps its last name and price, with none available."""
    (shown,) = cart_queries.view(cart_queries.Contents(1, [line(1)]), {1: None}, CHARGES, "EUR")[
        "items"
    ]
    assert (shown["name"], shown["available"], shown["price_changed"]) == ("then 1", 0, False)


def test_an_empty_cart():
    """Nothing costs nothing, in the shop's currency."""
    assert cart_queries.view(cart_queries.Contents(0, []), {}, CHARGES, "SEK") == {
        "items": [],
        "address": None,
        "subtotal": Decimal("0.00"),
        "shipping": Decimal("0.00"),
        "shipping_method": None,
        "net": Decimal("0.00"),
        "tax": Decimal("0.00"),
        "taxes": (),
        "total": Decimal("0.00"),
        "currency": "SEK",
        "prices_include_tax": True,
    }


def test_a_price_in_another_currency_is_another_price():
    """The line shows the currency of the price beside it, and so does the sum."""
    contents = cart_queries.Contents(1, [line(1, 2, "10.00")])
    shown = cart_queries.view(contents, {1: variant(1, "10.00", currency="KWD")}, CHARGES, "EUR")
    assert (shown["items"][0]["currency"], shown["items"][0]["price_changed"]) == ("KWD", True)
    assert (shown["total"], shown["currency"]) == (Decimal("20.00"), "KWD")


def test_amounts_of_two_currencies_are_not_added():
    """There is no total then; each line has its own."""
    contents = cart_queries.Contents(1, [line(1, 1, "10.00"), line(2, 1, "5.00"), line(3)])
    variants = {1: variant(1, "1500.00", currency="JPY"), 2: variant(2), 3: None}
    shown = cart_queries.view(contents, variants, CHARGES, "EUR")
    assert [item["currency"] for item in shown["items"]] == ["JPY", "EUR", "EUR"]
    assert [item["price_changed"] for item in shown["items"]] == [True, False, False]
    assert (shown["total"], shown["currency"]) == (None, None)


def test_the_prices_at_adding_are_what_the_buyer_was_shown():
    """A checkout of the cart compares with them."""
    (wanted,) = cart_queries.Contents(1, [line(1, 3, "4.00", "USD")]).wanted()
    assert (wanted.quantity, wanted.shown, wanted.currency) == (3, (Decimal("4.00"),), "USD")
