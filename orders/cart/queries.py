"""A cart as it was read, and as it is shown with the products as they are now."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.orm import Session

from chassis import currencies
from chassis.messages import Json
from orders import catalog
from orders.context import CartContext
from orders.lines import Wanted
from orders.models import Cart, CartLine


@dataclass(frozen=True, slots=True)
class Contents:
    """A cart as it was read: its version (0: there has never been one), its lines, and where it is
    to go, if that is known."""

    version: int
    lines: Sequence[Row[Any]]
    address: dict[str, Any] | None = None

    @property
    def product_ids(self) -> list[int]:
        return [line.product_id for line in self.lines]

    def wanted(self) -> list[Wanted]:
        """The lines for a checkout."""
        return [
            Wanted(line.product_id, line.quantity, (line.unit_price,), line.currency)
            for line in self.lines
        ]


def read(connection: Connection | Session, user_id: uuid.UUID) -> Contents:
    """A user's cart, by one statement: its lines are those of its version."""
    query = (
        select(Cart.version, Cart.address, *CartLine.__table__.c)
        .outerjoin(CartLine, CartLine.user_id == Cart.user_id)
        .where(Cart.user_id == user_id)
        .order_by(CartLine.added_at, CartLine.variant_id)
    )
    rows = connection.execute(query).all()
    lines = [row for row in rows if row.product_id is not None]
    return Contents(rows[0].version, lines, rows[0].address) if rows else Contents(0, [])


def show(
    context: CartContext, user_id: uuid.UUID, products: catalog.Products | None = None
) -> Json:
    """The cart as answered; `products` are those that were looked up before."""
    with context.db.autocommit() as connection:
        contents = read(connection, user_id)
    known = products or {}
    missing = [one for one in contents.product_ids if one not in known]
    known = known | catalog.look_up(context.products, missing)
    return view(contents, known, context.settings["currency"])


def view(
    contents: Contents, products: Mapping[int, Mapping[str, Any] | None], currency: str
) -> Json:
    """The cart as answered, with `products` (by id) as they are now.

    One that has vanished keeps the name and price that it had, with none available. `currency` is
    that of an empty cart. When the products of a cart have come to have several, `total` and
    `currency` are None: amounts of two currencies are not added.
    """
    items = [_shown(line, products.get(line.product_id)) for line in contents.lines]
    used = {item["currency"] for item in items} or {currency}
    one = used.pop() if len(used) == 1 else None
    return {
        "items": items,
        "address": contents.address,
        "total": one and sum((item["line_total"] for item in items), currencies.zero(one)),
        "currency": one,
    }


def _shown(line: Row[Any], product: Mapping[str, Any] | None) -> dict[str, Any]:
    name, price, currency = (
        (product["name"], product["price"], product["currency"])
        if product
        else (line.name, line.unit_price, line.currency)
    )
    return {
        "variant_id": line.variant_id,
        "product_id": line.product_id,
        "sku": line.sku,
        "name": name,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": price,
        "line_total": price * line.quantity,
        "currency": currency,
        "available": max(0, product["available"]) if product else 0,
        "price_changed": (price, currency) != (line.unit_price, line.currency),
    }
