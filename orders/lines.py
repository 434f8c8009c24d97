"""The lines of carts and orders."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from contracts.products.fields import STANDARD
from orders.amounts import Amounts, LineAmounts


@dataclass(frozen=True, slots=True)
class Wanted:
    """A variant that somebody wants, and the prices at which it was shown to them, in `currency`;
    None: in whichever it has.

    With `by_product` it was named by its product, of which it has to be the only one. That is
    asked for as the variant with the product's own id, for as a rule it is.
    """

    variant_id: int
    quantity: int
    shown: tuple[Decimal, ...] = ()
    currency: str | None = None
    by_product: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a variant at the price that is charged; `discount` is on all of them together."""

    variant_id: int
    name: str
    quantity: int
    unit_price: Decimal
    product_id: int
    sku: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    tax_class: str = STANDARD
    weight_g: int = 0
    discount: Decimal = Decimal(0)

    @classmethod
    def of(cls, variant: Mapping[str, Any], quantity: int) -> "Line":
        """So many of a variant as it is sold now (`contracts.products.answers.SoldVariant`, or
        `contracts.inventory.answers.ReservedLine`)."""
        return cls(
            variant["id"] if "id" in variant else variant["variant_id"],
            variant["name"],
            quantity,
            variant["price"],
            variant["product_id"],
            variant["sku"],
            variant["options"],
            variant["tax_class"],
            variant["weight_g"],
        )

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


#: Columns of `order_lines` that are answered as they are.
SHOWN = (
    "line", "variant_id", "product_id", "sku", "name", "options", "quantity", "unit_price",
    "discount", "net", "tax", "total", "tax_class",
)  # fmt: skip


def rows(
    order_id: uuid.UUID, lines: Sequence[Line], amounts: Sequence[LineAmounts]
) -> list[dict[str, Any]]:
    """The rows in `order_lines` of a new order, in their order."""
    return [
        {
            "order_id": order_id,
            "line": number,
            "variant_id": line.variant_id,
            "product_id": line.product_id,
            "sku": line.sku,
            "name": line.name,
            "options": dict(line.options),
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "discount": amount.discount,
            "net": amount.net,
            "tax": amount.tax,
            "total": amount.total,
            "tax_class": line.tax_class,
        }
        for number, (line, amount) in enumerate(zip(lines, amounts, strict=True), start=1)
    ]


def tax_rows(order_id: uuid.UUID, amounts: Amounts) -> list[dict[str, Any]]:
    """The rows in `order_taxes` of a new order."""
    return [{"order_id": order_id, **asdict(tax)} for tax in amounts.taxes]


def view(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of `order_lines` as answered; of a new one nothing has become yet."""
    shown = {name: row[name] for name in SHOWN}
    shown |= {name: row.get(name, 0) for name in ("cancelled", "shipped")}
    return shown | {"line_total": row["unit_price"] * row["quantity"]}
