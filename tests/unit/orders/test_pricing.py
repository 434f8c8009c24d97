"""What a checkout costs, and when the buyer has to look again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from contracts.orders.errors import CartChanged, MixedCurrencies, PriceChanged
from orders.checkout import pricing
from orders.checkout.pricing import Line, Wanted

PRODUCTS = {
    1: {"id": 1, "name": "Kettle", "price": Decimal("19.99"), "currency": "EUR"},
    2: {"id": 2, "name": "Mug", "price": Decimal("4.50"), "currency": "EUR"},
    3: {"id": 3, "name": "Teapot", "price": Decimal("30.00"), "currency": "USD"},
    4: None,
}


def item(product_id, quantity, price=None):
    return {"product_id": product_id, "quantity": quantity, "price": price}


def test_the_same_product_twice_is_one_line():
    """Quantities add up, in the order of first mention."""
    merged = pricing.merge([item(2, 1), item(1, 2), item(2, 4)])
    assert [(line.product_id, line.quantity) for line in merged] == [(2, 5), (1, 2)]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 50)), max_size=15))
def test_merging_keeps_every_piece(items):
    """However a product is spread over items, its number stays, on one line."""
    merged = pricing.merge(item(product_id, quantity) for product_id, quantity in items)
    assert len({line.product_id for line in merged}) == len(merged)
    for line in merged:
        assert line.quantity == sum(n for product_id, n in items if product_id == line.product_id)


def test_no_way_around_the_bound_by_splitting():
    """The bound on a product's quantity holds for the sum of its items."""
    assert pricing.merge([item(1, 400), item(1, 600)])[0].quantity == 1000
    with pytest.raises(Invalid):
        pricing.merge([item(1, 400), item(1, 601)])


def test_the_server_names_the_price():
    """Lines carry the product's price and name, whatever was sent."""
    lines, currency = pricing.price([Wanted(1, 2, (Decimal("0.01"),)), Wanted(2, 1)], PRODUCTS)
    assert lines == (Line(1, "Kettle", 2, Decimal("19.99")), Line(2, "Mug", 1, Decimal("4.50")))
    assert currency == "EUR"
    assert pricing.total(lines) == Decimal("44.48")


def test_unknown_products_are_all_named():
    """Vanished and never known are the same, and none is left out of the message."""
    with pytest.raises(Invalid) as refused:
        pricing.price([Wanted(1, 1), Wanted(4, 1), Wanted(9, 1)], PRODUCTS)
    assert len(refused.value.errors["items"]) == 2


def test_one_order_has_one_currency():
    """Amounts of two currencies are never added; every line is named with its own."""
    with pytest.raises(MixedCurrencies) as refused:
        pricing.price([Wanted(1, 1), Wanted(3, 1)], PRODUCTS)
    assert refused.value.status == 422
    assert refused.value.data["lines"] == [
        {"product_id": 1, "currency": "EUR"},
        {"product_id": 3, "currency": "USD"},
    ]
    assert refused.value.errors["items"]


def test_the_same_number_in_another_currency_is_another_price():
    """10.00 EUR is not 10.00 USD; both currencies are told when they differ."""
    wanted = [Wanted(3, 1, (Decimal("30.00"),), "EUR")]
    lines, currency = pricing.price(wanted, PRODUCTS)
    with pytest.raises(PriceChanged) as changed:
        pricing.check_shown_prices(wanted, lines, currency)
    assert changed.value.data["lines"] == [
        {"product_id": 3, "sent": "30.00", "current": "30.00",
         "sent_currency": "EUR", "current_currency": "USD"}
    ]  # fmt: skip
    pricing.check_shown_prices([Wanted(3, 1, (Decimal("30.00"),), "USD")], lines, currency)
    pricing.check_shown_prices([Wanted(3, 1, (), "EUR")], lines, currency)


def test_changed_prices_are_named_line_by_line():
    """Every line that differs is there with what was shown and what is asked; others are not."""
    wanted = [Wanted(1, 1, (Decimal("18.00"),)), Wanted(2, 1, (Decimal("4.50"),))]
    lines, _ = pricing.price(wanted, PRODUCTS)
    with pytest.raises(PriceChanged) as changed:
        pricing.check_shown_prices(wanted, lines, "EUR")
    assert changed.value.data["lines"] == [{"product_id": 1, "sent": "18.00", "current": "19.99"}]


def test_a_merged_line_does_not_hide_a_wrong_price():
    """Of two items of one product, the one with the wrong price still counts."""
    wanted = pricing.merge([item(1, 1, Decimal("19.99")), item(1, 1, Decimal("1.00"))])
    lines, _ = pricing.price(wanted, PRODUCTS)
    with pytest.raises(PriceChanged) as changed:
        pricing.check_shown_prices(wanted, lines, "EUR")
    assert [line["sent"] for line in changed.value.data["lines"]] == ["1.00"]


def test_no_price_sent_means_any_price():
    """Who sends no price takes the one of the shop."""
    wanted = pricing.merge([item(1, 1)])
    pricing.check_shown_prices(wanted, *pricing.price(wanted, PRODUCTS))


@pytest.mark.parametrize(("from_cart", "fault"), [(True, CartChanged), (False, PriceChanged)])
def test_another_total_stops_the_checkout(from_cart, fault):
    """What the buyer expects to pay is what is charged, or nothing is."""
    euros, more = (Decimal("5.00"), "EUR"), (Decimal("5.01"), "EUR")
    pricing.check_shown_total(euros, euros, from_cart=from_cart)
    with pytest.raises(fault) as changed:
        pricing.check_shown_total(euros, more, from_cart=from_cart)
    assert changed.value.data == {"sent": "5.00", "current": "5.01"}
    with pytest.raises(fault) as changed:
        pricing.check_shown_total(euros, (Decimal("5.00"), "KWD"), from_cart=from_cart)
    assert changed.value.data["current_currency"] == "KWD"


@pytest.mark.parametrize("total", ["-0.01", "100000000.00"])
def test_a_total_that_nobody_can_pay_is_refused(total):
    """Neither less than nothing nor more than the books can hold."""
    with pytest.raises(Invalid):
        pricing.check_payable(Decimal(total))


@pytest.mark.parametrize("total", ["0.00", "0.01", "99999999.99"])
def test_any_other_total_can_be_paid(total):
    """What costs nothing is paid without a payment."""
    pricing.check_payable(Decimal(total))


@given(
    st.lists(st.tuples(st.decimals("0.01", "99.99", places=2), st.integers(1, 1000)), max_size=20)
)
def test_a_total_is_the_sum_of_what_the_lines_show(priced):
    """No rounding between the lines and the total."""
    lines = [Line(n, "x", quantity, price) for n, (price, quantity) in enumerate(priced)]
    total = pricing.total(lines)
    assert total == sum(line.view()["line_total"] for line in lines)
    assert total == total.quantize(Decimal("0.01"))
