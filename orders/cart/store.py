"""Changes of a cart, in statements.

Every change first moves on the version of the cart's row, and so waits for other changes of the
same cart: two adds at once both count, and a checkout can tell that the cart is not what it read.
"""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from chassis.tables import changed
from contracts.inventory.fields import MAX_LINES
from contracts.orders.fields import MAX_QUANTITY
from orders.models import Cart, CartLine


def add(
    session: Session,
    user_id: uuid.UUID,
    variant: Mapping[str, Any],
    quantity: int,
    now: datetime.datetime,
    others: Mapping[int, Mapping[str, Any] | None],
) -> None:
    """Put so many of a variant in; its price is from now on the one that the buyer has seen.

    `others` are the variants that are in the cart (by id), as they are now. Raises `Invalid` when
    it would be too many of the variant, too many variants or several currencies.
    """
    _change(session, user_id, now)
    line = insert(CartLine).values(
        user_id=user_id,
        variant_id=variant["id"],
        product_id=variant["product_id"],
        sku=variant["sku"],
        options=variant["options"],
        quantity=quantity,
        unit_price=variant["price"],
        currency=variant["currency"],
        name=variant["name"],
        added_at=now,
    )
    total = CartLine.quantity + line.excluded.quantity
    more = line.on_conflict_do_update(
        index_elements=[CartLine.user_id, CartLine.variant_id],
        set_={
            "quantity": total,
            "unit_price": line.excluded.unit_price,
            "currency": line.excluded.currency,
            "name": line.excluded.name,
            "sku": line.excluded.sku,
            "options": line.excluded.options,
        },
        where=total <= MAX_QUANTITY,
    )
    if changed(session, more) == 0:
        raise Invalid(errors={"quantity": [f"At most {MAX_QUANTITY} of one variant."]})
    _check_bounds(session, user_id, {**others, variant["id"]: variant})


def set_quantity(
    session: Session, user_id: uuid.UUID, variant_id: int, quantity: int, now: datetime.datetime
) -> None:
    """So many of a variant that is in the cart; raises `NotFound` when it is not."""
    _change(session, user_id, now)
    line = (CartLine.user_id == user_id, CartLine.variant_id == variant_id)
    if changed(session, update(CartLine).where(*line).values(quantity=quantity)) == 0:
        raise NotFound("This is not in the cart.")


def remove(
    session: Session,
    user_id: uuid.UUID,
    variant_id: int,
    quantity: int | None,
    now: datetime.datetime,
) -> None:
    """Take `quantity` of a variant out, or all of it; one that is not there is out already."""
    _change(session, user_id, now)
    line = (CartLine.user_id == user_id, CartLine.variant_id == variant_id)
    if quantity is not None:
        rest = CartLine.quantity - quantity
        kept = update(CartLine).where(*line, rest > 0).values(quantity=rest)
        if changed(session, kept):
            return
    session.execute(delete(CartLine).where(*line))


def set_address(
    session: Session, user_id: uuid.UUID, address: dict[str, Any] | None, now: datetime.datetime
) -> None:
    """Where the cart is to go, as far as it is known."""
    _change(session, user_id, now)
    session.execute(update(Cart).where(Cart.user_id == user_id).values(address=address))


def clear(session: Session, user_id: uuid.UUID, now: datetime.datetime) -> None:
    """Take everything out."""
    _change(session, user_id, now)
    session.execute(delete(CartLine).where(CartLine.user_id == user_id))


def forget(
    session: Session, user_id: uuid.UUID, until: datetime.datetime, now: datetime.datetime
) -> None:
    """Take out what was put in up to `until`, and forget where it was to go."""
    set_address(session, user_id, None, now)
    session.execute(delete(CartLine).where(CartLine.user_id == user_id, CartLine.added_at <= until))


def _check_bounds(
    session: Session, user_id: uuid.UUID, variants: Mapping[int, Mapping[str, Any] | None]
) -> None:
    query = select(CartLine.variant_id, CartLine.currency).where(CartLine.user_id == user_id)
    put_in = dict(session.execute(query).all())
    if len(put_in) > MAX_LINES:
        raise Invalid(errors={"variant_id": [f"At most {MAX_LINES} different variants."]})
    now = {(variants.get(one) or {"currency": then})["currency"] for one, then in put_in.items()}
    if len(now) > 1:
        raise Invalid(errors={"variant_id": ["One cart has one currency."]})


def _change(session: Session, user_id: uuid.UUID, now: datetime.datetime) -> None:
    row = insert(Cart).values(user_id=user_id, version=1, updated_at=now)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[Cart.user_id],
            set_={"version": Cart.version + 1, "updated_at": now},
        )
    )
