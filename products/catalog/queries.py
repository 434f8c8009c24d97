"""Products as they are answered: by id, by ids, by SKUs.

Reads are single Core statements, built once; they know nothing of the ORM's identity map.
"""

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.messages import Json
from contracts.products.errors import ProductNotFound
from products.models import Product, Stock
from products.stock.availability import AVAILABLE

#: A product's own columns, in the order in which they are answered.
COLUMNS = (
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
    AVAILABLE.label("available"),
    Product.created_at,
    Product.updated_at,
    Product.version,
)


def select_products() -> Select[Any]:
    """All products that are not deleted; takes the parameter `now`."""
    return (
        select(*COLUMNS)
        .join(Stock, Stock.variant_id == Product.id)
        .where(Product.deleted_at.is_(None))
    )


_BY_ID = select_products().where(Product.id == bindparam("id"))
_BY_IDS = select_products().where(Product.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
_BY_SKUS = select_products().where(Product.sku == any_(bindparam("skus", type_=ARRAY(Text))))


def get(connection: Connection | Session, product_id: int, now: datetime.datetime) -> Json:
    """The product; raises `ProductNotFound`."""
    row = connection.execute(_BY_ID, {"id": product_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise ProductNotFound()
    return dict(row)


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
