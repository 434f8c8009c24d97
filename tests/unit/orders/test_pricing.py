"""What a checkout costs, and when the buyer has to look again."""

import datetime
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from contracts.inventory.errors import OutOfStock
from contracts.orders.errors import (
    CartChanged,
    MixedCurrencies,
    NoShipping,
    PriceChanged,
)
from contracts.products.errors import ChooseVariant
from orders.checkout import pricing
from orders.checkout.pricing import Basket, Shown
from orders.lines import Line, Wanted
from orders.shipping.rules import Member, Method, Offer
from orders.taxes.rules import Entry, Place, TaxRate
from orders.terms.rules import NO_TERMS, Charges, Terms


def variant(id, name, price, currency="EUR", **fields):
    return {
        "id": id, "product_id": id, "sku": f"K-{id}", "name": name, "options": {},
        "price": Decimal(price), "currency": currency, "tax_class": "standard", "weight_g": 0,
        "is_only": True,
    } | fields  # fmt: skip


VARIANTS = {
    1: variant(1, "Kettle", "19.99"),
    2: variant(2, "Mug", "4.50"),
    3: variant(3, "Teapot", "30.00", "USD"),
    4: None,
}


NOW = datetime.datetime(2031, 5, 1, tzinfo=datetime.UTC)
HOME = {"country": "NL", "region": None, "postal_code": "3511 AB"}
CHARGES = Charges(NO_TERMS, NOW, prices_include_tax=True)


def item(variant_id, quantity, price=None):
    return {"variant_id": variant_id, "quantity": quantity, "price": price}


def line(variant_id, name, quantity, price):
    return Line(variant_id, name, quantity, Decimal(price), variant_id, f"K-{variant_id}")


def test_the_same_variant_twice_is_one_line():
    """Quantities add up, in the order of first mention."""
    merged = pricing.merge([item(2, 1), item(1, 2), item(2, 4)])
    assert [(line.variant_id, line.quantity) for line in merged] == [(2, 5), (1, 2)]


def test_a_product_that_is_named_stands_for_its_only_variant():
    """By whatever it was named, it is one line; which is known when the products are."""
    by_product = {"product_id": 1, "quantity": 2, "price": Decimal("19.99")}
    asked = [by_product, item(2, 1), {"product_id": 9, "quantity": 1}, item(7, 3)]
    basket = Basket(tuple(pricing.merge(asked, "EUR")), Shown(), HOME, NOW)
    assert basket.by_product == [1, 9]
    found = pricing.with_variants(basket, {1: variant(7, "Kettle", "19.99"), 9: None})
    assert found.lines == (
        Wanted(7, 5, (Decimal("19.99"),), "EUR"), Wanted(2, 1, (), "EUR"),
        Wanted(9, 1, (), "EUR", by_product=True),
    )  # fmt: skip
    with pytest.raises(Invalid) as refused:
        pricing.price(found.lines, VARIANTS | {7: VARIANTS[1]})
    assert refused.value.errors == {"items": ["Product 9 does not exist."]}


@pytest.mark.parametrize(
    ("fields", "is_refused"),
    [({}, False), ({"is_only": False}, True), ({"product_id": 8}, True)],
)
def test_a_product_with_several_variants_stands_for_none(fields, is_refused):
    """Unless the variant was named itself."""
    sold = {1: variant(1, "Kettle", "19.99", **fields)}
    by_product = pricing.merge([{"product_id": 1, "quantity": 1}])
    pricing.check_named(Basket((Wanted(1, 1),), Shown(), HOME, NOW), sold)
    basket = Basket(tuple(by_product), Shown(), HOME, NOW)
    if not is_refused:
        pricing.check_named(basket, sold)
        return
    with pytest.raises(ChooseVariant):
        pricing.check_named(basket, sold)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 50)), max_size=15))
def test_merging_keeps_every_piece(items):
    """However a variant is spread over items, its number stays, on one line."""
    merged = pricing.merge(item(variant_id, quantity) for variant_id, quantity in items)
    assert len({line.variant_id for line in merged}) == len(merged)
    for line in merged:
        assert line.quantity == sum(n for variant_id, n in items if variant_id == line.variant_id)


def test_no_way_around_the_bound_by_splitting():
    """The bound on a variant's quantity holds for the sum of its items."""
    assert pricing.merge([item(1, 400), item(1, 600)])[0].quantity == 1000
    with pytest.raises(Invalid) as refused:
        pricing.merge([item(1, 400), item(1, 601)])
    assert refused.value.errors == {"items": ["At most 1000 of variant 1."]}


def test_the_server_names_the_price():
    """Lines carry the product's price and name, whatever was sent."""
    lines, currency = pricing.price([Wanted(1, 2, (Decimal("0.01"),)), Wanted(2, 1)], VARIANTS)
    assert lines == (line(1, "Kettle", 2, "19.99"), line(2, "Mug", 1, "4.50"))
    assert currency == "EUR"
    assert sum(line.total for line in lines) == Decimal("44.48")


def test_unknown_variants_are_all_named():
    """Vanished and never known are the same, and none is left out of the message."""
    with pytest.raises(Invalid) as refused:
        pricing.price([Wanted(1, 1), Wanted(4, 1), Wanted(9, 1)], VARIANTS)
    assert len(refused.value.errors["items"]) == 2


def test_one_order_has_one_currency():
    """Amounts of two currencies are never added; every line is named with its own."""
    with pytest.raises(MixedCurrencies) as refused:
        pricing.price([Wanted(1, 1), Wanted(3, 1)], VARIANTS)
    assert refused.value.status == 422
    assert refused.value.data["lines"] == [
        {"variant_id": 1, "product_id": 1, "currency": "EUR"},
        {"variant_id": 3, "product_id": 3, "currency": "USD"},
    ]
    assert refused.value.errors["items"]


def test_the_same_number_in_another_currency_is_another_price():
    """10.00 EUR is not 10.00 USD; both currencies are told when they differ."""
    wanted = [Wanted(3, 1, (Decimal("30.00"),), "EUR")]
    lines, currency = pricing.price(wanted, VARIANTS)
    with pytest.raises(PriceChanged) as changed:
        pricing.check_shown_prices(wanted, lines, currency)
    assert changed.value.data["lines"] == [
        {"variant_id": 3, "product_id": 3, "sent": "30.00", "current": "30.00",
         "sent_currency": "EUR", "current_currency": "USD"}
    ]  # fmt: skip
    pricing.check_shown_prices([Wanted(3, 1, (Decimal("30.00"),), "USD")], lines, currency)
    pricing.check_shown_prices([Wanted(3, 1, (), "EUR")], lines, currency)


def test_changed_prices_are_named_line_by_line():
    """Every line that differs is there with what was shown and what is asked; others are not."""
    wanted = [Wanted(1, 1, (Decimal("18.00"),)), Wanted(2, 1, (Decimal("4.50"),))]
    lines, _ = pricing.price(wanted, VARIANTS)
    with pytest.raises(PriceChanged) as changed:
        pricing.check_shown_prices(wanted, lines, "EUR")
    assert changed.value.data["lines"] == [
        {"variant_id": 1, "product_id": 1, "sent": "18.00", "current": "19.99"}
    ]


def test_a_merged_line_does_not_hide_a_wrong_price():
    """Of two items of one product, the one with the wrong price still counts."""
    wanted = pricing.merge([item(1, 1, Decimal("19.99")), item(1, 1, Decimal("1.00"))])
    lines, _ = pricing.price(wanted, VARIANTS)
    with pytest.raises(PriceChanged) as changed:
        pricing.check_shown_prices(wanted, lines, "EUR")
    assert [line["sent"] for line in changed.value.data["lines"]] == ["1.00"]


def test_no_price_sent_means_any_price():
    """Who sends no price takes the one of the shop."""
    wanted = pricing.merge([item(1, 1)])
    pricing.check_shown_prices(wanted, *pricing.price(wanted, VARIANTS))


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


LINES = (line(1, "Kettle", 1, "7.00"), line(2, "Mug", 2, "1.50"))
TEN = (Decimal("10.00"), "EUR")


def put_in(kettle, currency="EUR", mug_currency=None):
    """The lines of a cart, with what the kettle cost when it was put in, if that was shown."""
    shown = () if kettle is None else (Decimal(kettle),)
    return [Wanted(1, 1, shown, currency), Wanted(2, 2, (), mug_currency or currency)]


@pytest.mark.parametrize(
    ("from_cart", "total", "currency", "wanted", "refused"),
    [
        # Who was shown the total of a cart has seen its prices.
        (True, "10.00", "EUR", put_in("6.00"), None),
        (True, "10.00", None, put_in("6.00"), None),
        # Another total, below or above, is told as such where the prices were right.
        (True, "9.99", "EUR", put_in("7.00"), CartChanged),
        (True, "10.01", "EUR", put_in("7.00"), CartChanged),
        (True, "10.00", "USD", put_in("7.00"), CartChanged),
        (True, "10.00", "CHF", put_in("7.00"), CartChanged),
        (True, "10.00", None, put_in(None, "USD"), CartChanged),
        # A line that costs less or more now is named before that.
        (True, "9.00", "EUR", put_in("6.00"), PriceChanged),
        (True, "11.00", "EUR", put_in("8.00"), PriceChanged),
        (True, None, None, put_in("6.00"), PriceChanged),
        (True, None, None, put_in("8.00"), PriceChanged),
        # The currency is that of the prices when they were put in, unless it is named.
        (True, "10.00", None, put_in("7.00", "USD"), PriceChanged),
        (True, "10.00", None, put_in("7.00", "CHF"), PriceChanged),
        (True, "10.00", "EUR", put_in("7.00", "USD"), None),
        (True, "10.00", "EUR", put_in("6.00", "EUR", "USD"), None),
        (True, "10.00", None, put_in("6.00", "EUR", "USD"), PriceChanged),
        (True, "10.00", None, put_in("7.00", "EUR", "USD"), None),
        # Without a cart the total alone says nothing of the lines.
        (False, "10.00", "EUR", put_in("6.00"), PriceChanged),
        (False, "10.00", "EUR", put_in("7.00"), None),
        (False, "9.00", "EUR", put_in("7.00"), PriceChanged),
        # Who says nothing takes what it costs; who names a currency, in that one.
        (False, None, None, put_in(None), None),
        (False, None, "EUR", put_in(None), None),
        (False, None, "USD", put_in(None), PriceChanged),
        (True, None, None, put_in("7.00"), None),
    ],
)
def test_the_buyer_pays_what_they_were_shown(from_cart, total, currency, wanted, refused):
    """10.00 EUR for two lines, or the checkout stops."""
    shown = Shown(total and Decimal(total), currency)
    if refused is None:
        pricing.check_shown(shown, wanted, LINES, TEN, from_cart=from_cart)
        return
    with pytest.raises(refused) as caught:
        pricing.check_shown(shown, wanted, LINES, TEN, from_cart=from_cart)
    assert type(caught.value) is refused


def test_another_currency_is_told():
    """Where nothing but the currency was shown."""
    with pytest.raises(PriceChanged) as changed:
        pricing.check_shown(Shown(currency="USD"), put_in(None), LINES, TEN, from_cart=False)
    assert changed.value.data == {"sent_currency": "USD", "current_currency": "EUR"}


@pytest.mark.parametrize(
    ("kettles", "mugs", "short"),
    [
        (1, 2, []),
        (2, 3, []),
        (0, 2, [(1, 1, 0)]),
        (1, 1, [(2, 2, 1)]),
        (-3, 0, [(1, 1, 0), (2, 2, 0)]),
    ],
)
def test_each_line_that_is_short_is_named(kettles, mugs, short):
    """With how many there are; those that more has been promised of than there is count as none."""
    sold = {
        1: {"product_id": 10, "available": kettles},
        2: {"product_id": 20, "available": mugs},
    }
    wanted = [Wanted(1, 1), Wanted(2, 2)]
    if not short:
        pricing.check_available(wanted, sold)
        return
    with pytest.raises(OutOfStock) as refused:
        pricing.check_available(wanted, sold)
    assert refused.value.data["lines"] == [
        {
            "variant_id": variant_id,
            "product_id": sold[variant_id]["product_id"],
            "requested": requested,
            "available": left,
        }
        for variant_id, requested, left in short
    ]


@pytest.mark.parametrize(
    ("wanted", "shown", "cart_version", "refused"),
    [
        # Each is wrong in all that comes after, too: the first is what the buyer is told.
        ([Wanted(4, 1), Wanted(1, 1), Wanted(3, 1)], Shown(Decimal(1)), None, Invalid),
        ([Wanted(1, 1), Wanted(3, 1, (Decimal(1),))], Shown(Decimal(1)), None, MixedCurrencies),
        ([Wanted(1, 60_000_000_000, (Decimal(1),))], Shown(Decimal(1)), None, Invalid),
        ([Wanted(1, 1, (Decimal(1),))], Shown(Decimal(1)), None, PriceChanged),
        ([Wanted(1, 1)], Shown(Decimal(1)), None, PriceChanged),
        ([Wanted(1, 1)], Shown(Decimal(1)), 7, CartChanged),
    ],
)
def test_what_is_wrong_is_told_in_its_order(wanted, shown, cart_version, refused):
    """Unknown, of two currencies, too dear, not as shown."""
    basket = Basket(tuple(wanted), shown, HOME, NOW, cart_version)
    with pytest.raises(refused) as caught:
        pricing.settle(basket, VARIANTS, CHARGES)
    assert type(caught.value) is refused


def test_a_basket_comes_to_its_lines_and_their_currency():
    basket = Basket((Wanted(2, 3),), Shown(Decimal("13.50")), HOME, NOW)
    priced = pricing.settle(basket, VARIANTS, CHARGES)
    assert (priced.lines, priced.currency) == ((line(2, "Mug", 3, "4.50"),), "EUR")
    assert (priced.amounts.total, priced.shipping) == (Decimal("13.50"), None)


@pytest.mark.parametrize("total", ["-0.01", "1000000000000.00"])
def test_a_total_that_nobody_can_pay_is_refused(total):
    """Neither less than nothing nor more than the books can hold."""
    with pytest.raises(Invalid) as refused:
        pricing.check_payable(Decimal(total))
    assert refused.value.errors == {"items": ["The total must be at most 999999999999.9999."]}


@pytest.mark.parametrize("total", ["0.00", "0.01", "999999999999.9999"])
def test_any_other_total_can_be_paid(total):
    """What costs nothing is paid without a payment."""
    pricing.check_payable(Decimal(total))


RATES = [
    Entry(Place("NL", None), name, TaxRate(Decimal(rate), name), NOW, None)
    for name, rate in (("standard", "21"), ("reduced", "9"))
]
ZONE = uuid.uuid4()
PARCEL = Method(
    ZONE, "parcel", "Parcel", "standard", "EUR", Decimal("5.00"), Decimal("50.00"), 0, 2000, 1, 2
)
OFFER = Offer(frozenset({"EUR"}), [Member(ZONE, "NL")], [PARCEL])
HEAVY = {
    1: variant(1, "Kettle", "19.99", weight_g=700, tax_class="reduced"),
    2: VARIANTS[2],
}


@pytest.mark.parametrize(
    ("kettles", "method", "is_included", "shipping", "tax", "total"),
    [
        (1, "parcel", True, "5.00", "2.52", "24.99"),
        (1, "parcel", False, "5.00", "2.85", "27.84"),
        (2, "parcel", True, "5.00", "4.17", "44.98"),
    ],
)
def test_tax_and_shipping_are_part_of_the_total(kettles, method, is_included, shipping, tax, total):
    """Of each class at its rate, shipping with its own; the buyer was shown all of it."""
    charges = Charges(Terms(RATES, OFFER), NOW, is_included)
    basket = Basket((Wanted(1, kettles),), Shown(Decimal(total)), HOME, NOW, shipping_method=method)
    amounts = pricing.settle(basket, HEAVY, charges).amounts
    assert [str(amounts.shipping), str(amounts.tax), str(amounts.total)] == [shipping, tax, total]
    for other in ("0.00", str(kettles * Decimal("19.99"))):
        seen = replace(basket, shown=Shown(Decimal(other)))
        with pytest.raises(PriceChanged) as changed:
            pricing.settle(seen, HEAVY, charges)
        assert changed.value.data == {"sent": other, "current": total}


def test_a_basket_needs_a_way_of_shipping():
    """As soon as the shop has any: one that carries this weight there."""
    charges = Charges(Terms((), OFFER), NOW, prices_include_tax=True)
    basket = Basket((Wanted(1, 1),), Shown(), HOME, NOW)
    assert pricing.settle(basket, HEAVY, charges).amounts.shipping == Decimal("5.00")
    for wanted, place in ((Wanted(1, 3), HOME), (Wanted(1, 1), {"country": "DE"})):
        elsewhere = Basket((wanted,), Shown(), place, NOW, shipping_method="parcel")
        with pytest.raises(NoShipping):
            pricing.settle(elsewhere, HEAVY, charges)


def test_from_a_price_of_goods_on_shipping_is_free():
    """Judged again at the prices of now."""
    charges = Charges(Terms((), OFFER), NOW, prices_include_tax=True)
    basket = Basket((Wanted(2, 12),), Shown(), HOME, NOW, shipping_method="parcel")
    priced = pricing.settle(basket, HEAVY, charges)
    assert (priced.amounts.shipping, priced.amounts.total) == (0, Decimal("54.00"))
    fewer = pricing.settle(replace(basket, lines=(Wanted(2, 11),)), HEAVY, charges)
    assert (fewer.amounts.shipping, fewer.amounts.total) == (5, Decimal("54.50"))
