"""Which zone an address is in, which methods carry the goods there, and what each costs.

Nothing here asks anybody: the caller brings the zones and methods (`Offer`). An address is in the
zone whose member says most of it: a range of postal codes before a region before a country. Members
of equal rank never overlap (`overlaps`, and constraints of the database), so that is one zone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis import countries, currencies
from contracts.orders.errors import NoShipping, UnknownShippingMethod

#: Comes after each letter and digit, so what begins with a code is not after that and this.
LAST = "~"
_CODE = re.compile("[A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class Place:
    """As much of an address as decides its zone, in the form in which it is compared."""

    country: str
    region: str | None = None
    postal_code: str | None = None

    @classmethod
    def of(cls, address: Mapping[str, Any]) -> "Place":
        """The place of `{country, region?, postal_code?}`, as people write it."""
        country, region = address["country"], address.get("region")
        postal_code = address.get("postal_code")
        return cls(
            country,
            countries.region(region, country) if region else None,
            countries.postal_key(postal_code, country) if postal_code else None,
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A country of a zone, a region of it, or its postal codes from the one beginning to the other,
    both included."""

    zone_id: UUID | None
    country: str
    region: str | None = None
    postal_from: str | None = None
    postal_to: str | None = None

    @classmethod
    def of(
        cls,
        country: str,
        region: str | None = None,
        postal_from: str | None = None,
        postal_to: str | None = None,
    ) -> "Member":
        """A member as people write it, of no zone yet."""
        return cls(
            None,
            country,
            countries.region(region, country) if region else None,
            countries.postal_key(postal_from, country) if postal_from else None,
            countries.postal_key(postal_to, country) if postal_to else None,
        )

    @property
    def codes(self) -> tuple[str, str] | None:
        """Its postal codes: those from the first text on that come before the second."""
        if self.postal_from is None or self.postal_to is None:
            return None
        return self.postal_from, self.postal_to + LAST

    @property
    def rank(self) -> int:
        """How much it says of an address: the most decides."""
        return 2 if self.codes else 1 if self.region else 0

    def holds(self, place: Place) -> bool:
        if place.country != self.country:
            return False
        if self.codes:
            first, end = self.codes
            return place.postal_code is not None and first <= place.postal_code < end
        return self.region is None or place.region == self.region


def overlaps(one: Member, other: Member) -> bool:
    """Whether an address could be in both by the same right."""
    if one.country != other.country or one.rank != other.rank:
        return False
    if one.codes and other.codes:
        return one.codes[0] < other.codes[1] and other.codes[0] < one.codes[1]
    return one.region == other.region


def faults_in_zone(members: Sequence[Member]) -> dict[int, dict[str, list[str]]]:
    """What is wrong with the members of one zone, by position and field."""
    faults = {}
    for position, member in enumerate(members):
        if member.region == "":
            faults[position] = {"region": ["Not a region."]}
        elif not _is_range(member):
            faults[position] = {"postal_to": ["Letters and digits; not before postal_from."]}
        elif any(overlaps(member, before) for before in members[:position]):
            faults[position] = {"country": ["Another member has these addresses already."]}
    return faults


def _is_range(member: Member) -> bool:
    """Whether its postal codes, if any, are in order and of what is compared."""
    first, last = member.postal_from, member.postal_to
    if first is None or last is None:
        return True
    return bool(_CODE.fullmatch(first) and _CODE.fullmatch(last)) and first < last + LAST


def zone_of(members: Iterable[Member], place: Place) -> UUID | None:
    """The zone of a place; None when the shop has none for it."""
    holding = [member for member in members if member.holds(place)]
    return max(holding, key=lambda member: member.rank).zone_id if holding else None


@dataclass(frozen=True, slots=True)
class Goods:
    """What is to be shipped: its price after discounts, and its weight in grams."""

    price: Decimal
    currency: str
    weight_g: int


@dataclass(frozen=True, slots=True)
class Method:
    """A way of shipping to a zone, with its limits of weight in grams, both included."""

    zone_id: UUID
    code: str
    name: str
    tax_class: str
    currency: str
    price: Decimal
    free_from: Decimal | None
    min_weight_g: int
    max_weight_g: int | None
    min_days: int | None
    max_days: int | None

    def carries(self, goods: Goods) -> bool:
        """Whether the goods are within its limits, and are paid in its currency."""
        heaviest = goods.weight_g if self.max_weight_g is None else self.max_weight_g
        return self.currency == goods.currency and (self.min_weight_g <= goods.weight_g <= heaviest)

    def price_of(self, goods: Goods) -> Decimal:
        """What the buyer pays: nothing from `free_from` on."""
        is_free = self.free_from is not None and goods.price >= self.free_from
        return self.price * 0 if is_free else self.price


@dataclass(frozen=True, slots=True)
class Quote:
    """A method that carries the goods, and what it costs."""

    method: Method
    price: Decimal


@dataclass(frozen=True, slots=True)
class Offer:
    """What the shop has set up for a country. `currencies` are those in which any method is active,
    be it to another country: what is sold in another one is shipped for nothing."""

    currencies: frozenset[str] = frozenset()
    members: Sequence[Member] = ()
    methods: Sequence[Method] = ()

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Offer":
        """What SQL gives (`orders.shipping.store.offer`), amounts and ids as text."""
        return cls(
            frozenset(kept["currencies"] or ()),
            tuple(Member(UUID(zone), *rest) for zone, *rest in kept["members"] or ()),
            tuple(_method(row) for row in kept["methods"] or ()),
        )


def _method(row: Mapping[str, Any]) -> Method:
    free_from = row["free_from"]
    return Method(
        **dict(row)
        | {
            "zone_id": UUID(row["zone_id"]),
            "price": Decimal(row["price"]),
            "free_from": None if free_from is None else Decimal(free_from),
        }
    )


def quotes(offer: Offer, place: Place, goods: Goods) -> list[Quote]:
    """The methods that carry `goods` to `place`, the cheapest first."""
    zone_id = zone_of(offer.members, place)
    found = [
        Quote(method, method.price_of(goods))
        for method in offer.methods
        if method.zone_id == zone_id and method.carries(goods)
    ]
    return sorted(found, key=lambda quote: (quote.price, quote.method.code))


def choose(offer: Offer, place: Place, goods: Goods, code: str | None) -> Quote | None:
    """The quote of the method that the buyer has chosen, or else of the cheapest; None while the
    shop has no methods in the currency of the goods.

    Raises `NoShipping` when nothing carries the goods there, `UnknownShippingMethod` for a code
    that is not among the quotes.
    """
    is_set_up = goods.currency in offer.currencies
    if not is_set_up and code is None:
        return None
    quoted = quotes(offer, place, goods)
    if is_set_up and not quoted:
        raise NoShipping
    for quote in quoted:
        if code in (None, quote.method.code):
            return quote
    codes = [quote.method.code for quote in quoted]
    message = f"Choose one of: {', '.join(codes)}." if codes else "This shop has no methods."
    raise UnknownShippingMethod(errors={"shipping_method": [message]}, methods=codes)


def faults_in(method: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with a method as a whole, by field."""
    faults = {}
    currency = method["currency"]
    for name in ("price", "free_from"):
        amount = method[name]
        if amount is not None and not currencies.fits(amount, currency):
            faults[name] = [f"{currency} has {currencies.places(currency)} decimal places."]
    for what in ("weight_g", "days"):
        least, most = method[f"min_{what}"], method[f"max_{what}"]
        if least is not None and most is not None and least > most:
            faults[f"max_{what}"] = [f"Less than min_{what}."]
    return faults
