"""The lines of carts and orders."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product that somebody wants, and the prices at which it was shown to them, in `currency`;
    None: in whichever it has."""

    product_id: int
    quantity: int
    shown: tuple[Decimal, ...] = ()
    currency: str | None = None


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
