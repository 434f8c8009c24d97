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


#: Of a shop that has set up nothing.
NO_TERMS = Terms((), Offer())


def choose(
    lines: Sequence[Line], currency: str, address: Mapping[str, Any], terms: Terms, code: str | None
) -> Quote | None:
    """What the buyer's shipping method costs; raises as `orders.shipping.rules.choose`."""
    return shipping.choose(terms.offer, shipping.Place.of(address), goods(lines, currency), code)


def goods(lines: Sequence[Line], currency: str) -> Goods:
    """What is to be shipped."""
    price = sum((line.total - line.discount for line in lines), Decimal(0))
    return Goods(price, currency, sum(line.weight_g * line.quantity for line in lines))


def charge(
    lines: Sequence[Line],
    currency: str,
    address: Mapping[str, Any] | None,
    terms: Terms,
    quote: Quote | None,
    now: datetime.datetime,
    *,
    prices_include_tax: bool,
) -> Amounts:
    """What `lines` come to, shipped by `quote`; without an address there is no tax yet."""
    places = currencies.places(currency)
    delivery = Shipping(quote.price, quote.method.tax_class) if quote else None
    source: Taxes = RateTable(terms.rates, prices_include_tax, places)
    charged = amounts.charged(lines, delivery)
    return amounts.settle(
        lines,
        delivery,
        None if address is None else source.estimate(charged, address, now),
        prices_include_tax=prices_include_tax,
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
