"""The rows of variants: made, changed and marked as deleted. Always under the lock of their product
(`products.catalog.rows`)."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, exists, func, insert, select, text, update
from sqlalchemy.orm import Session

from chassis.constraints import map_integrity_error
from chassis.errors import Fault, Invalid, PreconditionFailed
from chassis.identity import Actor
from contracts.inventory.enums import MovementKind
from contracts.products.errors import LastVariant, VariantExists, VariantNotFound
from contracts.products.fields import MAX_VARIANTS
from products.catalog import naming, option_store, rows
from products.catalog.options import option_key
from products.catalog.rows import Locked
from products.models import Movement, Product, Variant
from products.search import index as search_index
from products.stock import ledger, locations
from products.stock.reservations import Change

_BROKEN: dict[str, Callable[[], Fault]] = {
    "pk_variants": VariantExists,
    "uq_variants_sku": rows.sku_taken,
    "uq_variants_option_key": VariantExists,
}

_LIVE = (Variant.deleted_at.is_(None),)

_SHARE_PRICE = text("""
    WITH only_one AS (
        SELECT id, product_id, price FROM variants
        WHERE product_id = :product_id AND option_key = '' AND price IS NOT NULL
        AND deleted_at IS NULL AND NOT EXISTS (
            SELECT FROM variants AS other WHERE other.product_id = variants.product_id
            AND other.id <> variants.id AND other.deleted_at IS NULL
        )
    ),
    shared AS (UPDATE variants SET price = NULL FROM only_one WHERE variants.id = only_one.id)
    UPDATE products SET price = only_one.price FROM only_one WHERE products.id = product_id
    RETURNING (SELECT price FROM products AS before WHERE before.id = product_id)
""")

#: What a search finds of a variant.
_SEARCHED = {"sku", "options"}


def begin(
    session: Session,
    product: Locked,
    declared: Sequence[Mapping[str, Any]],
    variants: Sequence[Mapping[str, Any]],
    actor: Actor,
    now: datetime.datetime,
) -> None:
    """Give a new product its `variants` (`requests.NewVariant`), and the options that it declares.

    One without options is the product itself in another word: it has its id and its SKU.
    """
    if len(variants) == 1 and not variants[0].get("options"):
        _insert(session, product, variants, [""], actor, now)
        if variants[0].get("price") is not None:
            _share_price(session, product.id)
        if declared:
            option_store.declare(session, product.id, variants, declared)
    else:
        options = option_store.declare(session, product.id, variants, declared)
        keys = [option_key(options, fields["options"]) for fields in variants]
        _insert(session, product, variants, keys, actor, now)
    if declared or any(not _SEARCHED.isdisjoint(fields) for fields in variants):
        found_by = search_index.indexed(session, search_index.searched(session, product.id))
        session.execute(update(Product).where(Product.id == product.id).values(**found_by))


def add(
    session: Session,
    product_id: int,
    fields: Mapping[str, Any],
    actor: Actor,
    now: datetime.datetime,
) -> int:
    """The id of a new variant of the product. The one that it had without options goes, unless
    there was ever stock of it.

    Raises `ProductNotFound`, `VariantExists`, `AlreadyExists` (SKU), `Invalid` (options; a price
    that the currency has no coins for; too many variants).
    """
    product = rows.lock(session, product_id)
    options = option_store.declare(session, product_id, [fields])
    key = option_key(options, fields["options"])
    if key:
        _withdraw_unused(session, product_id, now)
    (variant_id,) = _insert(session, product, [fields], [key], actor, now)
    rows.touch(session, product_id, now, is_searched=True)
    return variant_id


def change(
    session: Session,
    variant_id: int,
    fields: dict[str, Any],
    version: int | None,
    now: datetime.datetime,
) -> tuple[int, dict[str, Any]]:
    """Replace `fields` of the variant; the price of an only one without options is its product's.
    Returns the id of its product, and what that has changed:
    `fields`, their names, and `old_price` and `price` of that; nothing if all were so before.

    Raises as `add`, `VariantNotFound`, and `PreconditionFailed` when the variant is not at
    `version` (if given) any more.
    """
    product, before = _lock(session, variant_id, version)
    if not fields:
        return product.id, {}
    values = dict(fields)
    if "options" in fields:
        options = option_store.declare(session, product.id, [fields])
        values["option_key"] = option_key(options, values.pop("options"))
    if "price" in fields:
        values["price"] = rows.exact(fields["price"], product.currency)
    if "sku" in fields:
        values["sku"] = _own_sku(product, before.option_key, fields["sku"])
        rows.claim_skus(session, _some([values["sku"]]), variant_id=variant_id)
    with map_integrity_error(_BROKEN):
        session.execute(
            update(Variant)
            .where(Variant.id == variant_id)
            .values(**values, version=Variant.version + 1)
        )
    old = before._asdict()
    if (shared := _share_price(session, product.id)) is not None:
        old["price"] = shared
    changed = {name for name in values if values[name] != old[name]}
    rows.touch(session, product.id, now, is_searched=not _SEARCHED.isdisjoint(fields))
    if not changed:
        return product.id, {}
    told: dict[str, Any] = {"fields": sorted(changed)}
    if "price" in changed:
        told |= {"old_price": _text(old["price"]), "price": _text(values["price"])}
    return product.id, told


def remove(session: Session, variant_id: int, version: int | None, now: datetime.datetime) -> int:
    """Nobody finds or orders the variant any more; what has been ordered is not touched. Returns
    the id of its product.

    Raises `VariantNotFound`, `LastVariant`, `PreconditionFailed` when it is not at `version` (if
    given) any more.
    """
    product, _ = _lock(session, variant_id, version)
    if _count(session, product.id) == 1:
        raise LastVariant()
    gone = {"deleted_at": now, "version": Variant.version + 1}
    session.execute(update(Variant).where(Variant.id == variant_id).values(**gone))
    _share_price(session, product.id)
    rows.touch(session, product.id, now, is_searched=True)
    return product.id


def reprice(session: Session, product_id: int, currency: str) -> None:
    """Give the prices that variants have of their own the places of this currency; raises `Invalid`
    when there are no coins for one."""
    query = select(Variant.id, Variant.price).where(Variant.product_id == product_id, *_LIVE)
    own = session.execute(query.where(Variant.price.is_not(None))).all()
    if own:
        priced = [{"id": id, "price": rows.exact(price, currency)} for id, price in own]
        session.execute(update(Variant), priced)


def _share_price(session: Session, product_id: int) -> Decimal | None:
    """Let the price of an only variant without options be that of its product: such a product has
    one price. Returns the one that the product had, None if nothing was to be done."""
    return session.scalar(_SHARE_PRICE, {"product_id": product_id})


def _lock(session: Session, variant_id: int, version: int | None) -> tuple[Locked, Row[Any]]:
    """A variant's product, which is locked, and the variant as it is."""
    product_id = session.scalar(select(Variant.product_id).where(Variant.id == variant_id, *_LIVE))
    if product_id is None:
        raise VariantNotFound()
    product = rows.lock(session, product_id)
    query = select(*Variant.__table__.c).where(Variant.id == variant_id, *_LIVE)
    before = session.execute(query).one_or_none()
    if before is None:
        raise VariantNotFound()
    if version not in (None, before.version):
        raise PreconditionFailed(version=before.version)
    return product, before


def _insert(
    session: Session,
    product: Locked,
    variants: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    actor: Actor,
    now: datetime.datetime,
) -> list[int]:
    """The ids of new variants with these keys, each with its stock."""
    there = _count(session, product.id)
    if there + len(variants) > MAX_VARIANTS:
        raise Invalid(errors={"variants": [f"At most {MAX_VARIANTS} variants of one product."]})
    made = [
        _row(product, fields, key, there + place)
        for place, (fields, key) in enumerate(zip(variants, keys, strict=True), 1)
    ]
    rows.claim_skus(session, _some(row["sku"] for row in made))
    query = insert(Variant).returning(Variant.id, sort_by_parameter_order=True)
    with map_integrity_error(_BROKEN):
        ids = list(session.scalars(query, made))
    location = locations.preferred(session)
    ledger.open_stock(session, ids, location)
    first = [
        Change(id, location, MovementKind.INITIAL, fields["stock"], 0, "initial stock")
        for id, fields in zip(ids, variants, strict=True)
        if fields.get("stock")
    ]
    ledger.apply(session, first, now, actor.user_id)
    return ids


def _row(product: Locked, fields: Mapping[str, Any], key: str, position: int) -> dict[str, Any]:
    row = {
        "product_id": product.id,
        "sku": _own_sku(product, key, fields.get("sku")) or (naming.new_sku() if key else None),
        "option_key": key,
        "price": rows.exact(fields.get("price"), product.currency),
        "weight_g": fields.get("weight_g", 0),
        "barcode": fields.get("barcode"),
        "images": fields.get("images", []),
        "position": min(fields.get("position", position), MAX_VARIANTS),
        "version": 1,
    }
    return row if key else row | {"id": product.id}


def _own_sku(product: Locked, key: str, sku: str | None) -> str | None:
    """The SKU of a variant; None where it is the product's."""
    return None if sku == product.sku and not key else sku


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)


def _some(skus: Iterable[str | None]) -> list[str]:
    return [sku for sku in skus if sku is not None]


def _count(session: Session, product_id: int) -> int:
    query = select(func.count()).where(Variant.product_id == product_id, *_LIVE)
    return session.scalar(query) or 0


def _withdraw_unused(session: Session, product_id: int, now: datetime.datetime) -> None:
    """Delete the variant without options of a product that gets some, unless it has been used."""
    had_stock = exists().where(Movement.variant_id == Variant.id)
    unused = (Variant.product_id == product_id, Variant.option_key == "", *_LIVE, ~had_stock)
    gone = {"deleted_at": now, "version": Variant.version + 1}
    session.execute(update(Variant).where(*unused).values(**gone))
