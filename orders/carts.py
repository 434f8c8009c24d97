"""Carts: what a buyer has put aside, shown with the products as they are now.

Every change first moves on the version of the cart's row, and so waits for other changes of the
same cart: two adds at once both count, and a checkout can tell that the cart is not what it read.
"""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from orders.models import Cart, CartLine
from orders.pricing import MAX_LINES, MAX_QUANTITY, Line, Wanted

#: Of an empty cart.
DEFAULT_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Contents:
    """A cart as it was read: its version (0: there has never been one) and its lines."""

    version: int
    lines: Sequence[Row]

    @property
    def product_ids(self) -> list[int]:
        return [line.product_id for line in self.lines]

    @property
    def currency(self) -> str:
        """That of all lines, as they were put in."""
        return self.lines[0].currency if self.lines else DEFAULT_CURRENCY

    def wanted(self) -> list[Wanted]:
        """The lines for a checkout."""
        return [Wanted(line.product_id, line.quantity, (line.unit_price,)) for line in self.lines]


def read(connection: Connection | Session, user_id: uuid.UUID) -> Contents:
    """A user's cart. The version is read first: lines that are newer than it make a checkout stop,
    while a version newer than the lines would not."""
    version = connection.execute(select(Cart.version).where(Cart.user_id == user_id)).scalar()
    query = (
        select(CartLine.__table__)
        .where(CartLine.user_id == user_id)
        .order_by(CartLine.added_at, CartLine.product_id)
    )
    return Contents(version or 0, connection.execute(query).all() if version else [])


def add(
    session: Session,
    user_id: uuid.UUID,
    product: Mapping[str, Any],
    quantity: int,
    now: datetime.datetime,
) -> None:
    """Put so many of a product in; its price is from now on the one that the buyer has seen.

    Raises `Invalid` when that would be too many of it, too many products or several currencies.
    """
    _change(session, user_id, now)
    line = insert(CartLine).values(
        user_id=user_id,
        product_id=product["id"],
        quantity=quantity,
        unit_price=product["price"],
        currency=product["currency"],
        name=product["name"],
        added_at=now,
    )
    total = CartLine.quantity + line.excluded.quantity
    more = line.on_conflict_do_update(
        index_elements=[CartLine.user_id, CartLine.product_id],
        set_={
            "quantity": total,
            "unit_price": line.excluded.unit_price,
            "currency": line.excluded.currency,
            "name": line.excluded.name,
        },
        where=total <= MAX_QUANTITY,
    )
    if session.execute(more).rowcount == 0:
        raise Invalid(errors={"quantity": [f"At most {MAX_QUANTITY} of one product."]})
    _check_bounds(session, user_id)


def set_quantity(
    session: Session, user_id: uuid.UUID, product_id: int, quantity: int, now: datetime.datetime
) -> None:
    """So many of a product that is in the cart; raises `NotFound` when it is not."""
    _change(session, user_id, now)
    line = (CartLine.user_id == user_id, CartLine.product_id == product_id)
    if session.execute(update(CartLine).where(*line).values(quantity=quantity)).rowcount == 0:
        raise NotFound("This product is not in the cart.")


def remove(
    session: Session,
    user_id: uuid.UUID,
    product_id: int,
    quantity: int | None,
    now: datetime.datetime,
) -> None:
    """Take `quantity` of a product out, or all of it; one that is not there is out already."""
    _change(session, user_id, now)
    line = (CartLine.user_id == user_id, CartLine.product_id == product_id)
    if quantity is not None:
        rest = CartLine.quantity - quantity
        kept = update(CartLine).where(*line, rest > 0).values(quantity=rest)
        if session.execute(kept).rowcount:
            return
    session.execute(delete(CartLine).where(*line))


def clear(session: Session, user_id: uuid.UUID, now: datetime.datetime) -> None:
    """Take everything out."""
    _change(session, user_id, now)
    session.execute(delete(CartLine).where(CartLine.user_id == user_id))


def forget(
    session: Session, user_id: uuid.UUID, until: datetime.datetime, now: datetime.datetime
) -> None:
    """Take out what was put in up to `until`."""
    _change(session, user_id, now)
    session.execute(delete(CartLine).where(CartLine.user_id == user_id, CartLine.added_at <= until))


def take(session: Session, user_id: uuid.UUID, version: int, now: datetime.datetime) -> bool:
    """Empty the cart of exactly that version; False when it has changed since."""
    as_read = (Cart.user_id == user_id, Cart.version == version)
    change = update(Cart).where(*as_read).values(version=version + 1, updated_at=now)
    if session.execute(change).rowcount == 0:
        return False
    session.execute(delete(CartLine).where(CartLine.user_id == user_id))
    return True


def view(contents: Contents, products: Mapping[int, Mapping[str, Any] | None]) -> dict[str, Any]:
    """The cart as answered, with `products` (by id) as they are now.

    One that has vanished keeps the name and price that it had, with none available.
    """
    items = [_shown(line, products.get(line.product_id)) for line in contents.lines]
    return {
        "items": items,
        "total": sum((item["line_total"] for item in items), Decimal("0.00")),
        "currency": contents.currency,
    }


def _shown(line: Row, product: Mapping[str, Any] | None) -> dict[str, Any]:
    name, price = (product["name"], product["price"]) if product else (line.name, line.unit_price)
    return Line(line.product_id, name, line.quantity, price).view() | {
        "available": max(0, product["available"]) if product else 0,
        "price_changed": price != line.unit_price,
    }


def _check_bounds(session: Session, user_id: uuid.UUID) -> None:
    query = select(func.count(), func.count(CartLine.currency.distinct()))
    lines, currencies = session.execute(query.where(CartLine.user_id == user_id)).one()
    if lines > MAX_LINES:
        raise Invalid(errors={"product_id": [f"At most {MAX_LINES} different products."]})
    if currencies > 1:
        raise Invalid(errors={"product_id": ["One cart has one currency."]})


def _change(session: Session, user_id: uuid.UUID, now: datetime.datetime) -> None:
    row = insert(Cart).values(user_id=user_id, version=1, updated_at=now)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[Cart.user_id],
            set_={"version": Cart.version + 1, "updated_at": now},
        )
    )
