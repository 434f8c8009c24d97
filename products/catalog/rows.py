"""What products and their variants share in the tables.

A product and its variants change together: whoever changes any of it locks the product's row first
and moves on its version, so that its tag is another one whatever has changed.
"""

import datetime
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Row, Text, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis import currencies
from chassis.errors import AlreadyExists, PreconditionFailed
from contracts.products.errors import ProductNotFound
from products import cache_invalidation
from products.models import Product
from products.search import index as search_index

#: A product that is locked: its id, version, SKU and currency.
Locked = Row[int, int, str, str]

_SKUS = bindparam("skus", type_=ARRAY(Text))

# In one order, so that two who claim the same never wait for each other in a circle.
_CLAIM = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(sku, 0))"
    " FROM (SELECT unnest(:skus) AS sku ORDER BY 1) AS claimed"
).bindparams(_SKUS)
_TAKEN = text("""
    SELECT sku FROM products WHERE sku = ANY(:skus) AND id <> :product_id
    UNION ALL
    SELECT sku FROM variants WHERE sku = ANY(:skus) AND id <> :variant_id
""").bindparams(
    _SKUS, bindparam("product_id", type_=BigInteger), bindparam("variant_id", type_=BigInteger)
)


def lock(session: Session, product_id: int, version: int | None = None) -> Locked:
    """The `id`, `version`, `sku` and `currency` of a product, which is locked until the
    transaction ends.

    Raises `ProductNotFound`, `PreconditionFailed` when it is not at `version` (if given) any more.
    """
    found = session.execute(
        select(Product.id, Product.version, Product.sku, Product.currency)
        .where(Product.id == product_id, Product.deleted_at.is_(None))
        .with_for_update(key_share=True)
    ).one_or_none()
    if found is None:
        raise ProductNotFound()
    if version not in (None, found.version):
        raise PreconditionFailed(version=found.version)
    return found


def touch(
    session: Session, product_id: int, now: datetime.datetime, *, is_searched: bool = False
) -> None:
    """Move on the version of a product whose variants have changed; `is_searched`: and with them
    what it is found by."""
    found_by: dict[str, Any] = {"indexed_version": search_index.still_indexed()}
    if is_searched:
        fields = search_index.searched(session, product_id)
        found_by = search_index.indexed(session, fields)
        found_by |= {"indexed_version": Product.version + 1}
    changed = {"version": Product.version + 1, "updated_at": now} | found_by
    session.execute(update(Product).where(Product.id == product_id).values(**changed))
    cache_invalidation.mark_changed(session, [product_id])


def claim_skus(
    session: Session,
    skus: Collection[str],
    *,
    product_id: int = 0,
    variant_id: int = 0,
) -> None:
    """Make sure that nothing else has one of these SKUs, or gets it before the transaction ends;
    they may be those of the product, or of the variant, that is given.

    An index keeps them apart among products, and another among variants: this is for both. Raises
    `AlreadyExists`.
    """
    if not skus:
        return
    wanted = {"skus": list(skus)}
    session.execute(_CLAIM, wanted)
    own = {"product_id": product_id, "variant_id": variant_id}
    if session.execute(_TAKEN, wanted | own).first():
        raise sku_taken()


def sku_taken() -> AlreadyExists:
    """Something else has this SKU."""
    return AlreadyExists("This SKU is taken", field="sku")


def exact(price: Decimal | None, currency: str) -> Decimal | None:
    """A price with the places of its currency; raises `Invalid` when there are no coins for it."""
    return None if price is None else currencies.exact(price, currency, "price")
