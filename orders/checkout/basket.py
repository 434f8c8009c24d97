"""What an order will be made of, and how much of it its buyer may hold without paying."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orders.checkout import pricing
from orders.checkout.pricing import Line


@dataclass(frozen=True, slots=True)
class Basket:
    """What an order will be made of; `cart_version` is that of the cart it was taken from."""

    lines: tuple[Line, ...]
    currency: str
    shipping_address: dict[str, Any]
    expires_at: datetime.datetime
    cart_version: int | None = None

    @property
    def total(self) -> Decimal:
        return pricing.total(self.lines)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a checkout's row."""
        return {
            "lines": [
                [line.product_id, line.name, line.quantity, str(line.unit_price)]
                for line in self.lines
            ],
            "currency": self.currency,
            "shipping_address": self.shipping_address,
            "expires_at": self.expires_at.isoformat(),
            "cart_version": self.cart_version,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Basket":
        """What `to_json` gave."""
        return cls(
            tuple(
                Line(product_id, name, quantity, Decimal(price))
                for product_id, name, quantity, price in kept["lines"]
            ),
            kept["currency"],
            kept["shipping_address"],
            datetime.datetime.fromisoformat(kept["expires_at"]),
            kept["cart_version"],
        )


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
