"""Variants as they are answered, and as carts and orders are told of them."""

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    any_,
    bindparam,
    case,
    column,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.messages import Json
from contracts.products.errors import VariantNotFound
from contracts.products.requests import MAX_VARIANTS_EACH
from products.models import Product, Variant
from products.sold_variant import COLUMNS
from products.stock.availability import AVAILABLE_OF_VARIANT

_IDS = bindparam("ids", type_=ARRAY(BigInteger))

_SHARED = tuple(
    COLUMNS[name] for name in ("product_id", "sku", "options", "price", "currency", "weight_g")
)

_ONE = (
    select(
        Variant.id,
        *_SHARED,
        Variant.price.is_(None).label("inherits_price"),
        Variant.barcode,
        Variant.images,
        Variant.position,
        AVAILABLE_OF_VARIANT.label("available"),
        Variant.version,
    )
    .join(Product, Product.id == Variant.product_id)
    .where(Variant.id == bindparam("id"), Variant.deleted_at.is_(None))
)

_SOLD = (
    select(
        Variant.id,
        *COLUMNS.values(),
        case((Variant.deleted_at.is_(None), AVAILABLE_OF_VARIANT), else_=0).label("available"),
        Variant.deleted_at.is_not(None).label("deleted"),
    )
    .select_from(Variant)
    .join(Product, Product.id == Variant.product_id)
)
_BY_IDS = _SOLD.where(Variant.id == any_(_IDS))


def _by_product_ids() -> Select[Any]:
    product = func.unnest(_IDS).table_valued(column("id", BigInteger)).render_derived("product")
    each = (
        _SOLD.where(Variant.product_id == product.c.id, Variant.deleted_at.is_(None))
        .order_by(Variant.position, Variant.id)
        .limit(MAX_VARIANTS_EACH)
        .correlate(product)
        .lateral("each")
    )
    return select(*each.c).select_from(product.join(each, true()))


_BY_PRODUCT_IDS = _by_product_ids()


def get(connection: Connection | Session, variant_id: int, now: datetime.datetime) -> Json:
    """The variant; raises `VariantNotFound`."""
    row = connection.execute(_ONE, {"id": variant_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise VariantNotFound()
    return dict(row)


def get_many(
    connection: Connection,
    ids: Sequence[int] | None,
    product_ids: Sequence[int] | None,
    now: datetime.datetime,
) -> list[dict[str, Any]]:
    """The variants with these ids, deleted ones too; or else those that these products have, some
    of each. What is unknown is left out."""
    query = _BY_PRODUCT_IDS if ids is None else _BY_IDS
    wanted = list(dict.fromkeys((product_ids or ()) if ids is None else ids))
    return [dict(row) for row in connection.execute(query, {"ids": wanted, "now": now}).mappings()]
