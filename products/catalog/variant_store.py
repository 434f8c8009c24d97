"""The rows of variants and options: made, changed and marked as deleted. Always under the lock of
their product (`products.catalog.rows`)."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, select, text, update
from sqlalchemy.orm import Session

from chassis.constraints import map_integrity_error
from chassis.errors import Fault, Invalid, PreconditionFailed
from chassis.identity import Actor
from contracts.inventory.enums import MovementKind
from contracts.products.errors import (
    LastVariant,
    OptionInUse,
    OptionNotFound,
    VariantExists,
    VariantNotFound,
)
from contracts.products.fields import MAX_VARIANTS
from products.catalog import naming, rows
from products.catalog.options import Option, Options, folded, option_key, with_declared
from products.catalog.rows import Locked
from products.models import Movement, OptionValue, Product, Variant
from products.models import Option as OptionRow
from products.search import index as search_index
from products.stock import ledger, locations
from products.stock.reservations import Change


def _same_name() -> Invalid:
    return Invalid(errors={"options": ["Two names differ in small and large letters alone."]})


_BROKEN: dict[str, Callable[[], Fault]] = {
    "pk_variants": VariantExists,
    "uq_variants_sku": rows.sku_taken,
    "uq_variants_option_key": VariantExists,
    "uq_options_name": _same_name,
    "uq_option_values_value": _same_name,
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
            _declare(session, product.id, _pairs(declared))
    else:
        options = _declare(session, product.id, [*_pairs(declared), *_chosen(variants)])
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
    options = _declare(session, product_id, _chosen([fields]))
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
        options = _declare(session, product.id, _chosen([fields]))
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


def change_option(
    session: Session,
    product_id: int,
    option_id: int,
    name: str | None,
    values: Sequence[Mapping[str, Any]] | None,
    version: int | None,
    now: datetime.datetime,
) -> None:
    """Give the option another `name`; let its values be these, in their order. Variants stay those
    that they are.

    Raises `ProductNotFound`, `OptionNotFound`, `OptionInUse` when a variant has a value that is not
    among them, `Invalid`, `PreconditionFailed` when the product is not at `version` (if given) any
    more.
    """
    rows.lock(session, product_id, version)
    option = _option(session, product_id, option_id)
    with map_integrity_error(_BROKEN):
        if name is not None:
            session.execute(update(OptionRow).where(OptionRow.id == option_id).values(name=name))
        if values is not None:
            _replace_values(session, product_id, option, values)
    if name is not None or values is not None:
        rows.touch(session, product_id, now, is_searched=True)


def remove_option(
    session: Session,
    product_id: int,
    option_id: int,
    version: int | None,
    now: datetime.datetime,
) -> None:
    """Delete an option with its values, of which no variant has one.

    Raises `ProductNotFound`, `OptionNotFound`, `OptionInUse`, `PreconditionFailed` when the product
    is not at `version` (if given) any more.
    """
    rows.lock(session, product_id, version)
    _drop_values(session, product_id, _option(session, product_id, option_id), kept=())
    session.execute(delete(OptionRow).where(OptionRow.id == option_id))
    rows.touch(session, product_id, now, is_searched=True)


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


def _pairs(declared: Iterable[Mapping[str, Any]]) -> list[tuple[str, Sequence[str]]]:
    return [(option["name"], option["values"]) for option in declared]


def _chosen(variants: Iterable[Mapping[str, Any]]) -> list[tuple[str, Sequence[str]]]:
    return [
        (name, [value]) for fields in variants for name, value in fields.get("options", {}).items()
    ]


def _declare(
    session: Session, product_id: int, names: Sequence[tuple[str, Sequence[str]]]
) -> Options:
    """The options of the product with those of `names`, which are made where they are missing."""
    options = with_declared(_options(session, product_id), names)
    with map_integrity_error(_BROKEN):
        for position, option in enumerate(options, 1):
            if option.id is None:
                new = {"product_id": product_id, "name": option.name, "position": position}
                option.id = session.scalar(insert(OptionRow).returning(OptionRow.id), new)
            _add_values(session, option)
    return options


def _add_values(session: Session, option: Option) -> None:
    new = [
        {"option_id": option.id, "value": value, "position": position}
        for position, (value, id) in enumerate(option.values.items(), 1)
        if id is None
    ]
    if new:
        query = insert(OptionValue).returning(OptionValue.value, OptionValue.id)
        option.values |= dict(session.execute(query, new).all())


def _options(session: Session, product_id: int) -> Options:
    query = (
        select(OptionRow.id, OptionRow.name, OptionValue.value, OptionValue.id.label("value_id"))
        .outerjoin(OptionValue, OptionValue.option_id == OptionRow.id)
        .where(OptionRow.product_id == product_id)
        .order_by(OptionRow.position, OptionRow.id, OptionValue.position, OptionValue.id)
    )
    options: dict[int, Option] = {}
    for row in session.execute(query):
        option = options.setdefault(row.id, Option(row.name, row.id))
        if row.value_id is not None:
            option.values[row.value] = row.value_id
    return list(options.values())


def _option(session: Session, product_id: int, option_id: int) -> Option:
    options = _options(session, product_id)
    found = next((option for option in options if option.id == option_id), None)
    if found is None:
        raise OptionNotFound()
    return found


def _replace_values(
    session: Session, product_id: int, option: Option, values: Sequence[Mapping[str, Any]]
) -> None:
    known = set(option.values.values())
    kept = [value["id"] for value in values if "id" in value]
    if not known.issuperset(kept) or len(set(kept)) < len(kept):
        raise Invalid(errors={"values": ["An id is of no value of this option, or twice here."]})
    if len({folded(value["value"]) for value in values}) < len(values):
        raise Invalid(errors={"values": ["A value is there twice."]})
    # All anew, for two values may have changed their names with each other.
    _drop_values(session, product_id, option, kept)
    for position, value in enumerate(values, 1):
        row = {"option_id": option.id, "position": position, **value}
        session.execute(insert(OptionValue).values(**row))


def _drop_values(session: Session, product_id: int, option: Option, kept: Sequence[int]) -> None:
    """Delete the rows of an option's values. Raises `OptionInUse` when a variant has one that is
    not to be `kept`."""
    query = select(Variant.option_key).where(Variant.product_id == product_id, *_LIVE)
    used = {int(id) for key in session.scalars(query) if key for id in key.split(",")}
    lost = [value for value, id in option.values.items() if id in used and id not in kept]
    if lost:
        raise OptionInUse(values=lost)
    session.execute(delete(OptionValue).where(OptionValue.option_id == option.id))
