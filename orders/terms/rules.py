"""What goods come to at the terms of a country: its tax rates and shipping methods. Carts estimate,
and checkouts charge, by this alone."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chassis import currencies
from orders import amounts
from orders.amounts import Amounts, Shipping
from orders.lines import Line
from orders.shipping import rules as shipping
from orders.shipping.rules import Goods, Offer, Quote
from orders.taxes import rules as taxes
from orders.taxes.port import Taxes
from orders.taxes.rules import Entry, RateTable


@dataclass(frozen=True, slots=True)
class Terms:
    """What a shop charges beside its prices for what it delivers to one country."""

    rates: Sequence[Entry]
    offer: Offer


#: The country of who has not said where they are: there are no rates or methods for it, but it is
#: known in which currencies the shop ships.
NOWHERE = ""
#: Of a shop that has set up nothing.
NO_TERMS = Terms((), Offer())


@dataclass(frozen=True, slots=True)
class Charges:
    """How a shop charges at `now`: beside its prices, or with tax in them."""

    terms: Terms
    now: datetime.datetime
    prices_include_tax: bool


def choose(
    lines: Sequence[Line], currency: str, address: Mapping[str, Any], terms: Terms, code: str | None
) -> Quote | None:
    """What the buyer's shipping method costs; raises as `orders.shipping.rules.choose`."""
    return shipping.choose(terms.offer, shipping.Place.of(address), _goods(lines, currency), code)


def quote(
    lines: Sequence[Line], currency: str, address: Mapping[str, Any] | None, terms: Terms
) -> list[Quote]:
    """The methods that carry `lines` to `address`, the cheapest first; none without an address."""
    if address is None:
        return []
    return shipping.quotes(terms.offer, shipping.Place.of(address), _goods(lines, currency))


def charge(
    lines: Sequence[Line],
    currency: str,
    address: Mapping[str, Any] | None,
    charges: Charges,
    quoted: Quote | None,
) -> Amounts:
    """What `lines` come to, shipped by `quoted`; without an address there is no tax yet. Shipping
    that is free is not taxed: a rate that is on nothing else has no row."""
    places = currencies.places(currency)
    delivery = None
    if quoted and quoted.price:
        delivery = Shipping(quoted.price, quoted.method.tax_class)
    source: Taxes = RateTable(charges.terms.rates, charges.prices_include_tax, places)
    charged = amounts.charged(lines, delivery)
    return amounts.settle(
        lines,
        delivery,
        None if address is None else source.estimate(charged, address, charges.now),
        prices_include_tax=charges.prices_include_tax,
        places=places,
    )


def are_alike(
    places: Sequence[tuple[Mapping[str, Any], Terms]], now: datetime.datetime, *, is_shipped: bool
) -> bool:
    """Whether the same is charged at all of these addresses, each given with the terms of its
    country: the same taxes and, for what `is_shipped` by a method, the methods of the same zone."""
    rates = [taxes.applying(terms.rates, taxes.place_of(address), now) for address, terms in places]
    zones = {
        shipping.zone_of(terms.offer.members, shipping.Place.of(address))
        for address, terms in places
    }
    return all(one == rates[0] for one in rates) and (len(zones) == 1 or not is_shipped)


def _goods(lines: Sequence[Line], currency: str) -> Goods:
    price = sum((line.total - line.discount for line in lines), Decimal(0))
    return Goods(price, currency, sum(line.weight_g * line.quantity for line in lines))
