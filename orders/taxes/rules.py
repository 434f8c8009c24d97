"""Which tax rate applies to what is delivered where, and what tax it comes to.

Tax is worked out for each rate, not for each line: the taxable amounts are summed exactly, the tax
of the sum is rounded once, half up, to the places of the currency, and is then divided among what
it is of (EN 16931: BR-CO-14, BR-CO-17, BR-S-08). With prices that include it, it is worked out of
the sum: `sum × rate / (100 + rate)`.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from chassis import countries
from chassis.errors import Invalid
from orders import division


class Place(NamedTuple):
    """Where something is delivered to, as rates name it; `region` as `chassis.countries.region`
    gives it."""

    country: str
    region: str | None


@dataclass(frozen=True, slots=True)
class TaxRate:
    """Percent of tax on what has a tax class; `reason` says why it is 0, if it is."""

    rate: Decimal
    label: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A rate of the table: of a tax class in a country, or in a `region` of it, from `valid_from`
    on and before `valid_until` (None: until further notice)."""

    place: Place
    tax_class: str
    rate: TaxRate
    valid_from: datetime.datetime
    valid_until: datetime.datetime | None

    def holds(self, at: datetime.datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class Taxable:
    """What is charged for something, after discounts, as prices are shown: with tax when prices
    include it."""

    amount: Decimal
    tax_class: str


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of one class at one rate: `amount` on, or in, `taxable`, which is without it."""

    tax_class: str
    rate: Decimal
    label: str
    reason: str | None
    taxable: Decimal
    amount: Decimal


class Estimate(NamedTuple):
    """The tax of each class that has a rate, by class; and the part of it that is of each of what
    is charged. The parts add up to the taxes."""

    taxes: tuple[Tax, ...]
    parts: tuple[Decimal, ...]


def place_of(address: Mapping[str, Any]) -> Place:
    """Where an address ({country, region?}) is taxed."""
    region = address.get("region")
    return Place(address["country"], region and countries.region(region, address["country"]))


def applying(entries: Iterable[Entry], place: Place, at: datetime.datetime) -> dict[str, TaxRate]:
    """The rate of each tax class at `place` at that moment. That of the region goes before that of
    the country; a class that has neither is not taxed there."""
    there = [
        entry
        for entry in entries
        if entry.place in (place, Place(place.country, None)) and entry.holds(at)
    ]
    there.sort(key=lambda entry: entry.place.region is not None)
    return {entry.tax_class: entry.rate for entry in there}


def check_region(entries: Iterable[Entry], address: Mapping[str, Any]) -> None:
    """Raises `Invalid` where rates differ by region, and that of the address is none of its
    country: nobody knows which rate it has."""
    country, region = place_of(address)
    known = countries.rules_of(country)
    differ = any(one.place.region for one in entries if one.place.country == country)
    if differ and region and known.regions and region not in known.regions.values():
        message = f"Not a region of {known.name}, where tax depends on it: {address['region']}."
        raise Invalid(errors={"shipping_address": [message]})


def assess(
    charged: Sequence[Taxable],
    rates: Mapping[str, TaxRate],
    *,
    prices_include_tax: bool,
    places: int,
) -> Estimate:
    """The tax of what is `charged`, at `rates` by tax class; `places` are the decimal places of the
    currency."""
    zero = Decimal(0).scaleb(-places)
    parts = [zero] * len(charged)
    positions: dict[str, list[int]] = defaultdict(list)
    for position, one in enumerate(charged):
        if one.tax_class in rates:
            positions[one.tax_class].append(position)
    taxes = []
    for tax_class, of_class in sorted(positions.items()):
        rate, weights = rates[tax_class], [charged[position].amount for position in of_class]
        whole = 100 + rate.rate if prices_include_tax else 100
        together = sum(weights, zero)
        amount = division.upto(together, rate.rate, whole, places)
        for position, part in zip(of_class, division.share(amount, weights, places), strict=True):
            parts[position] = part
        taxable = together - amount if prices_include_tax else together
        taxes.append(Tax(tax_class, rate.rate, rate.label, rate.reason, taxable, amount))
    return Estimate(tuple(taxes), tuple(parts))


@dataclass(frozen=True, slots=True)
class RateTable:
    """Our own table of rates, as a source of taxes (`orders.taxes.port`)."""

    entries: Sequence[Entry]
    prices_include_tax: bool
    places: int

    def estimate(
        self, charged: Sequence[Taxable], address: Mapping[str, Any], at: datetime.datetime
    ) -> Estimate:
        """What `assess` says at the rates that apply."""
        rates = applying(self.entries, place_of(address), at)
        included, places = self.prices_include_tax, self.places
        return assess(charged, rates, prices_include_tax=included, places=places)
