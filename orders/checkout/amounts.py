"""What an order comes to: from lines with prices to net, tax and total of each and of all.

The order of computation is fixed: a line is its unit price × quantity, less its discount; then
comes shipping; then tax, which is rounded once for each rate and divided among what it is of. So
everything adds up exactly (EN 16931: BR-CO-10, BR-CO-14, BR-CO-15), whatever a line's own tax would
round to. Nothing here asks anybody. Carts estimate, and orders are placed, by this alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from orders import division


class Priced(Protocol):
    """A line that has its price: so many of something, `discount` on all of them together."""

    @property
    def unit_price(self) -> Decimal: ...
    @property
    def quantity(self) -> int: ...
    @property
    def tax_class(self) -> str: ...
    @property
    def discount(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class TaxRate:
    """Percent of tax on what has a tax class; `reason` says why it is 0, if it is."""

    rate: Decimal
    label: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Shipping:
    """What shipping costs, as prices are shown: with tax when prices include it."""

    amount: Decimal
    tax_class: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """What one line comes to; `total` is what is paid for it."""

    discount: Decimal
    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of one class at one rate: `amount` on, or in, `taxable`."""

    tax_class: str
    rate: Decimal
    label: str
    reason: str | None
    taxable: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Amounts:
    """What all comes to. `subtotal` and `shipping` are as prices are shown, `net` is without any
    tax; `shipping_tax` is the part of `tax` that is on shipping."""

    lines: tuple[LineAmounts, ...]
    taxes: tuple[Tax, ...]
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    shipping_tax: Decimal
    net: Decimal
    tax: Decimal
    prices_include_tax: bool

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def settle(
    lines: Sequence[Priced],
    shipping: Shipping | None,
    rates: Mapping[str, TaxRate],
    *,
    prices_include_tax: bool,
    places: int = 2,
) -> Amounts:
    """What `lines` and `shipping` come to. `rates` are those of the buyer's address by tax class; a
    class without a rate is not taxed. `places` are the decimal places of the currency."""
    zero = Decimal(0).scaleb(-places)
    goods = [line.unit_price * line.quantity - line.discount for line in lines]
    charged = [*goods, shipping.amount if shipping else zero]
    classes = [*(line.tax_class for line in lines), shipping.tax_class if shipping else None]
    taxes, parts = _taxes(charged, classes, rates, prices_include_tax, places)
    nets = [
        amount - part if prices_include_tax else amount
        for amount, part in zip(charged, parts, strict=True)
    ]
    return Amounts(
        tuple(
            LineAmounts(line.discount, net, part)
            for line, net, part in zip(lines, nets[:-1], parts[:-1], strict=True)
        ),
        taxes,
        subtotal=sum((line.unit_price * line.quantity for line in lines), zero),
        discount=sum((line.discount for line in lines), zero),
        shipping=charged[-1],
        shipping_tax=parts[-1],
        net=sum(nets, zero),
        tax=sum(parts, zero),
        prices_include_tax=prices_include_tax,
    )


def _taxes(
    charged: Sequence[Decimal],
    classes: Iterable[str | None],
    rates: Mapping[str, TaxRate],
    is_included: bool,
    places: int,
) -> tuple[tuple[Tax, ...], list[Decimal]]:
    """The tax of each rate, by tax class; and of each of what is `charged` its part of it."""
    parts = [Decimal(0).scaleb(-places)] * len(charged)
    of_class: dict[str, list[int]] = defaultdict(list)
    for position, tax_class in enumerate(classes):
        if tax_class is not None and tax_class in rates:
            of_class[tax_class].append(position)
    taxes = []
    for tax_class, positions in sorted(of_class.items()):
        rate, weights = rates[tax_class], [charged[position] for position in positions]
        whole = 100 + rate.rate if is_included else 100
        amount = division.upto(sum(weights, Decimal(0)), rate.rate, whole, places)
        for position, part in zip(positions, division.share(amount, weights, places), strict=True):
            parts[position] = part
        taxable = sum(weights, Decimal(0).scaleb(-places)) - (amount if is_included else 0)
        taxes.append(Tax(tax_class, rate.rate, rate.label, rate.reason, taxable, amount))
    return tuple(taxes), parts
