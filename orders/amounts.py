"""What an order comes to: from lines with prices to net, tax and total of each and of all.

The order of computation is fixed: a line is its unit price × quantity, less its discount; then
comes shipping; then tax, which is rounded once for each rate and divided among what it is of. So
everything adds up exactly (EN 16931: BR-CO-10, BR-CO-14, BR-CO-15), whatever a line's own tax would
round to. Nothing here asks anybody. Carts estimate, and orders are placed, by this alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from orders.taxes.rules import Estimate, Tax, Taxable


class PricedLine(Protocol):
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
class Shipping:
    """What shipping costs, as prices are shown: with tax when prices include it."""

    amount: Decimal
    tax_class: str


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


def charged(lines: Sequence[PricedLine], shipping: Shipping | None) -> list[Taxable]:
    """What can be taxed: the lines, less their discounts, and shipping, if any."""
    goods = [
        Taxable(line.unit_price * line.quantity - line.discount, line.tax_class) for line in lines
    ]
    return goods + ([Taxable(shipping.amount, shipping.tax_class)] if shipping else [])


def settle(
    lines: Sequence[PricedLine],
    shipping: Shipping | None,
    estimate: Estimate | None,
    *,
    prices_include_tax: bool,
    places: int = 2,
) -> Amounts:
    """What `lines` and `shipping` come to. `estimate` is the tax of what is `charged`; None: none.
    `places` are the decimal places of the currency."""
    zero = Decimal(0).scaleb(-places)
    amounts = [one.amount for one in charged(lines, shipping)]
    taxes, parts = estimate or Estimate((), (zero,) * len(amounts))
    nets = [
        amount - part if prices_include_tax else amount
        for amount, part in zip(amounts, parts, strict=True)
    ]
    return Amounts(
        tuple(
            LineAmounts(line.discount + zero, net, part)
            for line, net, part in zip(lines, nets, parts, strict=False)
        ),
        taxes,
        subtotal=sum((line.unit_price * line.quantity for line in lines), zero),
        discount=sum((line.discount for line in lines), zero),
        shipping=shipping.amount if shipping else zero,
        shipping_tax=parts[-1] if shipping else zero,
        net=sum(nets, zero),
        tax=sum(parts, zero),
        prices_include_tax=prices_include_tax,
    )
