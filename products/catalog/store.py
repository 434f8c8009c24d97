"""The rows of products: made, changed and marked as deleted, with all that changes along."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from chassis.constraints import map_integrity_error
from chassis.errors import Invalid
from chassis.identity import Actor
from products import cache_invalidation
from products.catalog import rows, variant_store
from products.models import Product, Variant
from products.search import index as search_index

_BROKEN = {
    "uq_products_sku": rows.sku_taken,
    "fk_products_category_id": lambda: Invalid(
        errors={"category_id": ["There is no such category."]}
    ),
}


def add(
    session: Session,
    fields: dict[str, Any],
    stock: int,
    actor: Actor,
    now: datetime.datetime,
    options: Sequence[Mapping[str, Any]] = (),
    variants: Sequence[Mapping[str, Any]] = (),
) -> int:
    """The id of a new product with `fields`, `options` (`requests.NewOption`) and `variants`
    (`requests.NewVariant`); without those it has one, with `stock`.

    Raises `AlreadyExists` (SKU), `Invalid` (category; a price that its currency has no coins for;
    options), `VariantExists`.
    """
    fields = fields | {"price": rows.exact(fields["price"], fields["currency"])}
    rows.claim_skus(session, [fields["sku"]])
    found_by = search_index.indexed(session, fields) | {"indexed_version": 1}
    with map_integrity_error(_BROKEN):
        product = session.execute(
            insert(Product)
            .values(**fields, **found_by, version=1, created_at=now, updated_at=now)
            .returning(Product.id, Product.version, Product.sku, Product.currency)
        ).one()
    variant_store.begin(session, product, options, variants or [{"stock": stock}], actor, now)
    cache_invalidation.mark_changed(session, [product.id])
    return product.id


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
    product = rows.lock(session, product_id, version)
    if not fields:
        return {}
    names = fields.keys() | {"price", "currency"}
    columns = (getattr(Product, name) for name in names)
    before = session.execute(select(*columns).where(Product.id == product_id)).one()._asdict()
    if "price" in fields or "currency" in fields:
        priced = before | fields
        fields = fields | {"price": rows.exact(priced["price"], priced["currency"])}
        variant_store.reprice(session, product_id, priced["currency"])
    if fields.get("sku", product.sku) != product.sku:
        rows.claim_skus(session, [fields["sku"]], product_id=product_id)
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
    """Nobody finds or orders the product or its variants any more; what has been ordered is not
    touched.

    Raises `ProductNotFound`, `PreconditionFailed` when it is not at `version` (if given) any more.
    """
    rows.lock(session, product_id, version)
    session.execute(
        update(Product)
        .where(Product.id == product_id)
        .values(deleted_at=now, version=Product.version + 1, updated_at=now)
    )
    session.execute(
        update(Variant)
        .where(Variant.product_id == product_id, Variant.deleted_at.is_(None))
        .values(deleted_at=now)
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
        return {"indexed_version": search_index.still_indexed()}
    before = search_index.searched(session, product_id)
    found_by = search_index.indexed(session, before | fields)
    return found_by | {"indexed_version": Product.version + 1}
