"""Products as they are answered: by id with their variants, by ids, by SKUs.

Reads are single Core statements, built once; they know nothing of the ORM's identity map.
"""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis.messages import Json
from contracts.products.errors import ProductNotFound
from products.catalog import options
from products.models import Option, OptionValue, Product, Variant
from products.stock.availability import AVAILABLE_OF_PRODUCT, AVAILABLE_OF_VARIANT, MOST

_OWN = (
    Product.id,
    Product.sku,
    Product.name,
    Product.description,
    Product.price,
    Product.currency,
    Product.category_id,
    Product.images,
    Product.attributes,
    Product.tax_class,
    Product.created_at,
    Product.updated_at,
    Product.version,
)

_NONE = literal_column("'[]'::json", JSON)


def _objects(order: Sequence[InstrumentedAttribute[int]], **columns: Any) -> ColumnElement[Any]:
    """A list of objects in order, as one column."""
    each = func.json_build_object(*(part for pair in columns.items() for part in pair))
    return func.coalesce(func.json_agg(aggregate_order_by(each, *order)), _NONE, type_=JSON)


_VALUES = (
    select(
        _objects((OptionValue.position, OptionValue.id), id=OptionValue.id, value=OptionValue.value)
    )
    .where(OptionValue.option_id == Option.id)
    .correlate(Option)
    .scalar_subquery()
)
# The options of a product with their values.
_OPTIONS = (
    select(_objects((Option.position, Option.id), id=Option.id, name=Option.name, values=_VALUES))
    .where(Option.product_id == Product.id)
    .correlate(Product)
    .scalar_subquery()
    .label("options")
)
_VARIANTS = (
    select(
        _objects(
            (Variant.position, Variant.id),
            id=Variant.id,
            sku=func.coalesce(Variant.sku, Product.sku),
            options=Variant.option_key,
            # As text: a number of JSON is a float.
            price=cast(func.coalesce(Variant.price, Product.price), Text),
            inherits_price=Variant.price.is_(None),
            weight_g=Variant.weight_g,
            barcode=Variant.barcode,
            images=Variant.images,
            position=Variant.position,
            available=AVAILABLE_OF_VARIANT,
            version=Variant.version,
        )
    )
    .where(Variant.product_id == Product.id, Variant.deleted_at.is_(None))
    .correlate(Product)
    .scalar_subquery()
    .label("variants")
)


def select_products() -> Select[Any]:
    """All products that are not deleted; takes the parameter `now`."""
    columns = *_OWN, AVAILABLE_OF_PRODUCT.label("available")
    return select(*columns).where(Product.deleted_at.is_(None))


_BY_ID = select(*_OWN, _OPTIONS, _VARIANTS).where(
    Product.id == bindparam("id"), Product.deleted_at.is_(None)
)
_BY_IDS = select_products().where(Product.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
_BY_SKUS = select_products().where(Product.sku == any_(bindparam("skus", type_=ARRAY(Text))))


def get(connection: Connection | Session, product_id: int, now: datetime.datetime) -> Json:
    """The product with its options and variants; raises `ProductNotFound`."""
    row = connection.execute(_BY_ID, {"id": product_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise ProductNotFound()
    product = dict(row)
    product["available"] = min(sum(each["available"] for each in product["variants"]), MOST)
    of_product = {"product_id": product["id"], "currency": product["currency"]}
    for variant in product["variants"]:
        variant |= of_product | {
            "options": options.values_of(variant["options"], product["options"]),
            "price": Decimal(variant["price"]),
        }
    return product


def get_many(
    connection: Connection,
    ids: Sequence[int] | None,
    skus: Sequence[str] | None,
    now: datetime.datetime,
) -> list[dict[str, Any]]:
    """The products with these ids, or else these SKUs; unknown ones are left out."""
    if ids is None:
        rows = connection.execute(_BY_SKUS, {"skus": list(skus or ()), "now": now})
    else:
        rows = connection.execute(_BY_IDS, {"ids": list(ids), "now": now})
    return [dict(row) for row in rows.mappings()]
