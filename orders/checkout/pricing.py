"""The arithmetic of a checkout: what is bought, at which prices, whether the buyer knows them, and
how much of it they may hold without paying.

Money is `Decimal` with the places of its currency: 10.00 EUR and 10.00 KWD are two prices. Nothing
here asks anybody: the caller brings the variants.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chassis.errors import Invalid
from contracts.inventory.errors import OutOfStock
from contracts.orders.errors import CartChanged, MixedCurrencies, PriceChanged
from contracts.orders.fields import MAX_QUANTITY, MAX_TOTAL
from contracts.products.errors import ChooseVariant
from orders.amounts import Amounts
from orders.lines import Line, Wanted
from orders.shipping.rules import Quote
from orders.taxes.rules import check_region
from orders.terms.rules import Charges, charge, choose

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
    def variant_ids(self) -> list[int]:
        return [line.variant_id for line in self.lines]

    @property
    def by_product(self) -> list[int]:
        """The products that were named instead of their only variants."""
        return [line.variant_id for line in self.lines if line.by_product]

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a checkout's row, where SQL reads variant and quantity of each line
        (`orders.checkout.store.enter`)."""
        total = self.shown.total
        return {
            "lines": [
                [line.variant_id, line.currency, line.quantity, *map(str, line.shown)]
                for line in self.lines
            ],
            "shown": [None if total is None else str(total), self.shown.currency],
            "shipping_address": self.shipping_address,
            "expires_at": self.expires_at.isoformat(),
            "cart_version": self.cart_version,
            "shipping_method": self.shipping_method,
            "by_product": self.by_product,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Basket":
        """What `to_json` gave; or a row of a release before, when a product was its only variant.
        Older ones have a name in place of a line's currency, and the price to be sold at."""
        priced_in = kept.get("currency")
        total, currency = kept.get("shown", (None, None))
        by_product = set(kept.get("by_product", ()))
        return cls(
            tuple(
                Wanted(
                    one, quantity, tuple(map(Decimal, prices)), priced_in or its, one in by_product
                )
                for one, its, quantity, *prices in kept["lines"]
            ),
            Shown(None if total is None else Decimal(total), currency),
            kept["shipping_address"],
            datetime.datetime.fromisoformat(kept["expires_at"]),
            kept["cart_version"],
            kept.get("shipping_method"),
        )


@dataclass(frozen=True, slots=True)
class Priced:
    """What a basket comes to; `shipping` is by which method it goes."""

    lines: tuple[Line, ...]
    currency: str
    amounts: Amounts
    shipping: Quote | None


def merge(items: Iterable[Mapping[str, Any]], currency: str | None = None) -> list[Wanted]:
    """Items ({variant_id or product_id, quantity, price?}) with each variant once; quantities add
    up. Prices are in `currency`.

    Raises `Invalid` when there are too many of one.
    """
    return _merged(
        Wanted(
            item["variant_id"] if "variant_id" in item else item["product_id"],
            item["quantity"],
            () if item.get("price") is None else (item["price"],),
            currency,
            "variant_id" not in item,
        )
        for item in items
    )


def with_variants(basket: Basket, variants: Mapping[int, Mapping[str, Any] | None]) -> Basket:
    """The basket with the only variants of its products (by product id; None: it has none) in place
    of these."""
    lines = [
        replace(line, variant_id=variant["id"], by_product=False)
        if line.by_product and (variant := variants[line.variant_id])
        else line
        for line in basket.lines
    ]
    return replace(basket, lines=tuple(_merged(lines)))


def _merged(lines: Iterable[Wanted]) -> list[Wanted]:
    merged: dict[int, Wanted] = {}
    for line in lines:
        before = merged.get(line.variant_id)
        if before is not None:
            line = replace(
                line,
                quantity=before.quantity + line.quantity,
                shown=before.shown + line.shown,
                by_product=before.by_product and line.by_product,
            )
        if line.quantity > MAX_QUANTITY:
            said = f"At most {MAX_QUANTITY} of variant {line.variant_id}."
            raise Invalid(errors={"items": [said]})
        merged[line.variant_id] = line
    return list(merged.values())


def check_named(basket: Basket, variants: Mapping[int, Mapping[str, Any]]) -> None:
    """Raises `ChooseVariant`, without saying which, for a product that was named and has several
    variants."""
    for one in basket.by_product:
        variant = variants[one]
        if variant["product_id"] != one or not variant["is_only"]:
            raise ChooseVariant


def price(
    wanted: Sequence[Wanted], variants: Mapping[int, Mapping[str, Any] | None]
) -> tuple[tuple[Line, ...], str]:
    """Lines at the present prices of `variants` (by id, None: there is none), and their currency.

    Raises `Invalid` for variants that do not exist, `MixedCurrencies` when they have several.
    """
    found = {one: variant for one, variant in variants.items() if variant is not None}
    unknown = [line for line in wanted if line.variant_id not in found]
    if unknown:
        what = {True: "Product", False: "Variant"}
        said = [f"{what[line.by_product]} {line.variant_id} does not exist." for line in unknown]
        raise Invalid(errors={"items": said})
    currencies = {line.variant_id: found[line.variant_id]["currency"] for line in wanted}
    if len(set(currencies.values())) > 1:
        raise MixedCurrencies(
            errors={"items": ["One order has one currency."]},
            lines=[_named(one, found) | {"currency": its} for one, its in currencies.items()],
        )
    lines = tuple(Line.of(found[line.variant_id], line.quantity) for line in wanted)
    return lines, currencies[wanted[0].variant_id]


def settle(
    basket: Basket, variants: Mapping[int, Mapping[str, Any] | None], charges: Charges
) -> Priced:
    """What `basket` comes to at the present prices of `variants`: see `price`.

    Raises also when its shipping method does not carry it (`orders.shipping.rules.choose`), when
    nobody can pay it, or when it is not what the buyer was shown.
    """
    lines, currency = price(basket.lines, variants)
    address = basket.shipping_address
    check_region(charges.terms.rates, address)
    quote = choose(lines, currency, address, charges.terms, basket.shipping_method)
    amounts = charge(lines, currency, address, charges, quote)
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
    names, current = {}, {}
    for line in lines:
        names[line.variant_id] = {"variant_id": line.variant_id, "product_id": line.product_id}
        current[line.variant_id] = line.unit_price, currency
    changed = [
        names[one.variant_id] | _difference(shown, current[one.variant_id])
        for one in wanted
        for shown in _shown(one, currency)
        if shown != current[one.variant_id]
    ]
    if changed:
        raise PriceChanged(lines=changed)


def check_available(lines: Iterable[Wanted], variants: Mapping[int, Mapping[str, Any]]) -> None:
    """Raises `OutOfStock`, naming each line of which fewer are available; `variants` by id."""
    short = [
        _named(line.variant_id, variants)
        | {"requested": line.quantity, "available": max(0, available)}
        for line in lines
        if line.quantity > (available := variants[line.variant_id]["available"])
    ]
    if short:
        raise OutOfStock(lines=short)


def with_products(
    lines: Iterable[Mapping[str, Any]], variants: Mapping[int, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Lines of a problem that name variants, with their products beside them."""
    return [{**line, **_named(line["variant_id"], variants)} for line in lines]


def check_shown_total(expected: Price, current: Price, *, from_cart: bool) -> None:
    """Raises when the buyer saw another total: `CartChanged` or, without a cart, `PriceChanged`."""
    if expected != current:
        fault = CartChanged if from_cart else PriceChanged
        raise fault("The total has changed.", **_difference(expected, current))


def _named(variant_id: int, variants: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    return {"variant_id": variant_id, "product_id": variants[variant_id]["product_id"]}


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
    """What a buyer may hold without paying: so many orders, and of each variant so many units."""

    orders: int
    units: Mapping[int, int]


def limits(settings: Mapping[str, Any], available: Mapping[int, int]) -> Limits:
    """By the shop's settings, when so many of each variant are available: a share of a large stock,
    and a few units of anything."""
    least, percent = settings["max_unpaid_units"], settings["max_unpaid_percent"]
    units = {one: max(least, number * percent // 100) for one, number in available.items()}
    return Limits(settings["max_open_orders"], units)
