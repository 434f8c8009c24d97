"""The arithmetic of a checkout: what is bought, at which prices, whether the buyer knows them, and
how much of it they may hold without paying.

Money is `Decimal` with the places of its currency: 10.00 EUR and 10.00 KWD are two prices. Nothing
here asks anybody: the caller brings the products.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chassis.errors import Invalid
from contracts.inventory.errors import OutOfStock
from contracts.orders.errors import CartChanged, MixedCurrencies, PriceChanged
from contracts.orders.fields import MAX_QUANTITY, MAX_TOTAL
from orders.amounts import Amounts
from orders.lines import Line, Wanted
from orders.shipping.rules import Quote
from orders.terms.rules import Terms, charge, choose

#: An amount and its currency.
Price = tuple[Decimal, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """The total that the buyer was shown, and the currency; None: they do not say."""

    total: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """What was asked for, and what the buyer was shown of it; `cart_version` is that of the cart it
    was taken from, `shipping_method` the code of the one that was chosen."""

    lines: tuple[Wanted, ...]
    shown: Shown
    shipping_address: dict[str, Any]
    expires_at: datetime.datetime
    cart_version: int | None = None
    shipping_method: str | None = None

    @property
    def product_ids(self) -> list[int]:
        return [line.product_id for line in self.lines]

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a checkout's row, where SQL reads product and quantity of each line
        (`orders.checkout.store.enter`)."""
        total = self.shown.total
        return {
            "lines": [
                [line.product_id, line.currency, line.quantity, *map(str, line.shown)]
                for line in self.lines
            ],
            "shown": [None if total is None else str(total), self.shown.currency],
            "shipping_address": self.shipping_address,
            "expires_at": self.expires_at.isoformat(),
            "cart_version": self.cart_version,
            "shipping_method": self.shipping_method,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Basket":
        """What `to_json` gave; or a row of the release before, whose lines have a name instead of a
        currency, and the price at which it was to be sold."""
        priced_in = kept.get("currency")
        total, currency = kept.get("shown", (None, None))
        return cls(
            tuple(
                Wanted(product_id, quantity, tuple(map(Decimal, prices)), priced_in or its)
                for product_id, its, quantity, *prices in kept["lines"]
            ),
            Shown(None if total is None else Decimal(total), currency),
            kept["shipping_address"],
            datetime.datetime.fromisoformat(kept["expires_at"]),
            kept["cart_version"],
            kept.get("shipping_method"),
        )


@dataclass(frozen=True, slots=True)
class Charges:
    """How a shop charges at `now`: beside its prices, or with tax in them."""

    terms: Terms
    now: datetime.datetime
    prices_include_tax: bool


@dataclass(frozen=True, slots=True)
class Priced:
    """What a basket comes to; `shipping` is by which method it goes."""

    lines: tuple[Line, ...]
    currency: str
    amounts: Amounts
    shipping: Quote | None


def merge(items: Iterable[Mapping[str, Any]], currency: str | None = None) -> list[Wanted]:
    """Items ({product_id, quantity, price?}) with each product once; quantities add up. Prices are
    in `currency`.

    Raises `Invalid` when there are too many of one.
    """
    merged: dict[int, Wanted] = {}
    for item in items:
        product_id, price = item["product_id"], item.get("price")
        before = merged.get(product_id, Wanted(product_id, 0))
        quantity = before.quantity + item["quantity"]
        if quantity > MAX_QUANTITY:
            raise Invalid(errors={"items": [f"At most {MAX_QUANTITY} of product {product_id}."]})
        shown = before.shown if price is None else (*before.shown, price)
        merged[product_id] = Wanted(product_id, quantity, shown, currency)
    return list(merged.values())


def price(
    wanted: Sequence[Wanted], products: Mapping[int, Mapping[str, Any] | None]
) -> tuple[tuple[Line, ...], str]:
    """Lines at the present prices of `products` (by id, None: there is none), and their currency.

    Raises `Invalid` for products that do not exist, `MixedCurrencies` when they have several.
    """
    found = {one: product for one, product in products.items() if product is not None}
    unknown = [line.product_id for line in wanted if line.product_id not in found]
    if unknown:
        raise Invalid(errors={"items": [f"Product {one} does not exist." for one in unknown]})
    currencies = {line.product_id: found[line.product_id]["currency"] for line in wanted}
    if len(set(currencies.values())) > 1:
        raise MixedCurrencies(
            errors={"items": ["One order has one currency."]},
            lines=[{"product_id": one, "currency": its} for one, its in currencies.items()],
        )
    lines = tuple(_line(found[line.product_id], line) for line in wanted)
    return lines, currencies[wanted[0].product_id]


def _line(found: Mapping[str, Any], wanted: Wanted) -> Line:
    return Line(
        wanted.product_id,
        found["name"],
        wanted.quantity,
        found["price"],
        found.get("product_id", wanted.product_id),
        found.get("sku"),
        found.get("options", {}),
        found.get("tax_class", "standard"),
        found.get("weight_g", 0),
    )


def settle(
    basket: Basket, products: Mapping[int, Mapping[str, Any] | None], charges: Charges
) -> Priced:
    """What `basket` comes to at the present prices of `products`: see `price`.

    Raises also when its shipping method does not carry it (`orders.shipping.rules.choose`), when
    nobody can pay it, or when it is not what the buyer was shown.
    """
    lines, currency = price(basket.lines, products)
    address, terms = basket.shipping_address, charges.terms
    quote = choose(lines, currency, address, terms, basket.shipping_method)
    amounts = charge(
        lines, currency, address, terms, quote, charges.now,
        prices_include_tax=charges.prices_include_tax,
    )  # fmt: skip
    check_payable(max(amounts.subtotal, amounts.total))
    is_cart = basket.cart_version is not None
    current = (amounts.total, currency)
    check_shown(basket.shown, basket.lines, lines, current, from_cart=is_cart)
    return Priced(lines, currency, amounts, quote)


def check_payable(amount: Decimal) -> None:
    """Raises `Invalid` for a total that nobody can pay."""
    if not 0 <= amount <= MAX_TOTAL:
        raise Invalid(errors={"items": [f"The total must be at most {MAX_TOTAL}."]})


def check_shown(
    shown: Shown,
    wanted: Sequence[Wanted],
    lines: Sequence[Line],
    current: Price,
    *,
    from_cart: bool,
) -> None:
    """Raises unless the buyer was shown these `lines`, which come to `current`.

    Who was shown the total of a cart has seen its prices as they are, in the currency that they
    name; without one, in that of the prices when they were put in.
    """
    amount, currency = current
    seen = shown.currency or wanted[0].currency or currency
    is_known = {shown.currency} if shown.currency else {one.currency for one in wanted}
    if not from_cart or shown.total != amount or is_known != {currency}:
        check_shown_prices(wanted, lines, currency)
    if shown.total is not None:
        check_shown_total((shown.total, seen), current, from_cart=from_cart)
    elif shown.currency not in (None, currency):
        raise PriceChanged(
            "The currency has changed.", sent_currency=seen, current_currency=currency
        )


def check_shown_prices(wanted: Iterable[Wanted], lines: Iterable[Line], currency: str) -> None:
    """Raises `PriceChanged`, naming each line whose price is not the one that was shown; `currency`
    is that of the lines."""
    current = {line.variant_id: (line.unit_price, currency) for line in lines}
    changed = [
        {"product_id": one.product_id} | _difference(shown, current[one.product_id])
        for one in wanted
        for shown in _shown(one, currency)
        if shown != current[one.product_id]
    ]
    if changed:
        raise PriceChanged(lines=changed)


def check_available(lines: Iterable[Wanted], available: Mapping[int, int]) -> None:
    """Raises `OutOfStock`, naming each line of which fewer are `available` (by product)."""
    short = [
        {
            "variant_id": line.product_id,
            "requested": line.quantity,
            "available": max(0, available[line.product_id]),
        }
        for line in lines
        if line.quantity > available[line.product_id]
    ]
    if short:
        raise OutOfStock(lines=short)


def check_shown_total(expected: Price, current: Price, *, from_cart: bool) -> None:
    """Raises when the buyer saw another total: `CartChanged` or, without a cart, `PriceChanged`."""
    if expected != current:
        fault = CartChanged if from_cart else PriceChanged
        raise fault("The total has changed.", **_difference(expected, current))


def _shown(one: Wanted, currency: str) -> list[Price]:
    return [(price, one.currency or currency) for price in dict.fromkeys(one.shown)]


def _difference(sent: Price, current: Price) -> dict[str, str]:
    """As the buyer is told of it; the currencies too when they differ."""
    told = {"sent": str(sent[0]), "current": str(current[0])}
    if sent[1] != current[1]:
        told |= {"sent_currency": sent[1], "current_currency": current[1]}
    return told


@dataclass(frozen=True, slots=True)
class Limits:
    """What a buyer may hold without paying: so many orders, and of each product so many units."""

    orders: int
    units: Mapping[int, int]


def limits(settings: Mapping[str, Any], available: Mapping[int, int]) -> Limits:
    """By the shop's settings, when so many of each product are available: a share of a large stock,
    and a few units of anything."""
    least, percent = settings["max_unpaid_units"], settings["max_unpaid_percent"]
    units = {one: max(least, number * percent // 100) for one, number in available.items()}
    return Limits(settings["max_open_orders"], units)
