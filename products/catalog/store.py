"""The rows of products: made, changed and marked as deleted, with all that changes along."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, cast, insert, select, update
from sqlalchemy.orm import Session

from chassis import currencies
from chassis.constraints import map_integrity_error
from chassis.errors import AlreadyExists, Invalid, PreconditionFailed
from chassis.identity import Actor
from contracts.inventory.enums import MovementKind
from contracts.products.errors import ProductNotFound
from products import cache_invalidation
from products.models import Product, Stock
from products.search import index as search_index
from products.stock import ledger
from products.stock.reservations import Change

_BROKEN = {
    "uq_products_sku": lambda: AlreadyExists("This SKU is taken", field="sku"),
    "fk_products_category_id": lambda: Invalid(
        errors={"category_id": ["There is no such category."]}
    ),
}


def add(
    session: Session, fields: dict[str, Any], stock: int, actor: Actor, now: datetime.datetime
) -> int:
    """The id of a new product with `fields` and `stock`, which is the first row of its ledger.

    Raises `AlreadyExists` (SKU), `Invalid` (category; a price that its currency has no coins for).
    """
    fields = fields | {"price": _price(fields)}
    found_by = search_index.indexed(session, fields) | {"indexed_version": 1}
    with map_integrity_error(_BROKEN):
        product_id = session.execute(
            insert(Product)
            .values(**fields, **found_by, version=1, created_at=now, updated_at=now)
            .returning(Product.id)
        ).scalar_one()
    session.execute(insert(Stock).values(variant_id=product_id, on_hand=0, reserved=0, version=1))
    if stock:
        first = Change(product_id, MovementKind.INITIAL, stock, 0, "initial stock")
        ledger.apply(session, [first], now, actor.user_id)
    cache_invalidation.mark_changed(session, [product_id])
    return product_id


def change(
    session: Session,
    product_id: int,
    fields: dict[str, Any],
    version: int | None,
    now: datetime.datetime,
) -> dict[str, Any]:
    """Replace `fields` of the product. Returns what that has changed: `fields`, their names, and
    `old_price`, `price`, `old_currency` and `currency` of those two; nothing if all were so before.

    Raises `ProductNotFound`, `PreconditionFailed` when it is not at `version` (if given) any more,
    `AlreadyExists` (SKU), `Invalid` (category; a price that its currency has no coins for).
    """
    _lock(session, product_id, version)
    if not fields:
        return {}
    names = fields.keys() | {"price", "currency"}
    columns = (getattr(Product, name) for name in names)
    before = session.execute(select(*columns).where(Product.id == product_id)).one()._asdict()
    if "price" in fields or "currency" in fields:
        fields = fields | {"price": _price(before | fields)}
    with map_integrity_error(_BROKEN):
        session.execute(
            update(Product)
            .where(Product.id == product_id)
            .values(
                **fields,
                **_found_by(session, product_id, fields),
                version=Product.version + 1,
                updated_at=now,
            )
        )
    cache_invalidation.mark_changed(session, [product_id])
    changed = {name for name in fields if fields[name] != before[name]}
    return {"fields": sorted(changed), **_repriced(before, fields, changed)} if changed else {}


def remove(session: Session, product_id: int, version: int | None, now: datetime.datetime) -> None:
    """Nobody finds or orders the product any more; what has been ordered is not touched.

    Raises `ProductNotFound`, `PreconditionFailed` when it is not at `version` (if given) any more.
    """
    _lock(session, product_id, version)
    session.execute(
        update(Product)
        .where(Product.id == product_id)
        .values(deleted_at=now, version=Product.version + 1, updated_at=now)
    )
    cache_invalidation.mark_changed(session, [product_id])


def _repriced(
    before: Mapping[str, Any], fields: Mapping[str, Any], changed: set[str]
) -> dict[str, str]:
    """Of what has changed, price and currency as they were and are."""
    return {
        key: str(value)
        for name in ("price", "currency")
        if name in changed
        for key, value in ((f"old_{name}", before[name]), (name, fields[name]))
    }


def _found_by(session: Session, product_id: int, fields: dict[str, Any]) -> dict[str, Any]:
    """The columns of the search index for a product whose `fields` are replaced."""
    if fields.keys().isdisjoint(search_index.SEARCHED):
        is_current = Product.indexed_version == Product.version
        return {"indexed_version": Product.indexed_version + cast(is_current, Integer)}
    columns = (getattr(Product, name) for name in search_index.SEARCHED)
    before = session.execute(select(*columns).where(Product.id == product_id)).one()._asdict()
    found_by = search_index.indexed(session, before | fields)
    return found_by | {"indexed_version": Product.version + 1}


def _price(fields: Mapping[str, Any]) -> Decimal:
    return currencies.exact(fields["price"], fields["currency"], "price")


def _lock(session: Session, product_id: int, version: int | None) -> None:
    found = session.scalar(
        select(Product.version)
        .where(Product.id == product_id, Product.deleted_at.is_(None))
        .with_for_update(key_share=True)
    )
    if found is None:
        raise ProductNotFound()
    if version not in (None, found):
        raise PreconditionFailed(version=found)
