"""The arithmetic of a checkout: what is bought, at which prices, and whether the buyer knows them.

Money is `Decimal` with two places. Nothing here asks anybody: the caller brings the products.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chassis.errors import Invalid
from orders.errors import CartChanged, PriceChanged

#: Most of one product, and most different products, in a cart or order.
MAX_QUANTITY = 1000
MAX_LINES = 100

#: Largest total that the books can hold.
MAX_TOTAL = Decimal("99999999.99")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product that somebody wants, and the prices at which it was shown to them."""

    product_id: int
    quantity: int
    shown: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A product of an order at the price that is charged."""

    product_id: int
    name: str
    quantity: int
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity

    def view(self) -> dict[str, Any]:
        """The line as carts and orders answer it."""
        return {
            "product_id": self.product_id,
            "name": self.name,
            "quantity": self.quantity,
            "unit_price": self.unit_price,
            "line_total": self.total,
        }


def merge(items: Iterable[Mapping[str, Any]]) -> list[Wanted]:
    """Items ({product_id, quantity, price?}) with each product once; quantities add up.

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
        merged[product_id] = Wanted(product_id, quantity, shown)
    return list(merged.values())


def price(
    wanted: Sequence[Wanted], products: Mapping[int, Mapping[str, Any] | None]
) -> tuple[tuple[Line, ...], str]:
    """Lines at the present prices of `products` (by id, None: there is none), and their currency.

    Raises `Invalid` for products that do not exist or have several currencies.
    """
    unknown = [line.product_id for line in wanted if products.get(line.product_id) is None]
    if unknown:
        raise Invalid(errors={"items": [f"Product {one} does not exist." for one in unknown]})
    currencies = {products[line.product_id]["currency"] for line in wanted}
    if len(currencies) > 1:
        raise Invalid(errors={"items": ["One order has one currency."]})
    lines = (
        Line(
            line.product_id,
            products[line.product_id]["name"],
            line.quantity,
            products[line.product_id]["price"],
        )
        for line in wanted
    )
    return tuple(lines), currencies.pop()


def total(lines: Iterable[Line]) -> Decimal:
    """What the lines cost together."""
    return sum((line.total for line in lines), Decimal("0.00"))


def check_payable(amount: Decimal) -> None:
    """Raises `Invalid` for a total that nobody can pay."""
    if not 0 <= amount <= MAX_TOTAL:
        raise Invalid(errors={"items": [f"The total must be at most {MAX_TOTAL}."]})


def check_shown_prices(wanted: Iterable[Wanted], lines: Iterable[Line]) -> None:
    """Raises `PriceChanged`, naming each line whose price is not the one that was shown."""
    current = {line.product_id: line.unit_price for line in lines}
    changed = [
        {"product_id": one.product_id, "sent": str(shown), "current": str(current[one.product_id])}
        for one in wanted
        for shown in dict.fromkeys(one.shown)
        if shown != current[one.product_id]
    ]
    if changed:
        raise PriceChanged(lines=changed)


def check_shown_total(expected: Decimal, current: Decimal, *, from_cart: bool) -> None:
    """Raises when the buyer saw another total: `CartChanged` or, without a cart, `PriceChanged`."""
    if expected != current:
        fault = CartChanged if from_cart else PriceChanged
        raise fault("The total has changed.", sent=str(expected), current=str(current))
