"""The statements behind the lists of products, one for each combination of filters.

Each finds ids in order first, from an index as far as possible, and then the columns of these.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute, aliased

from contracts.products.enums import Sort
from products.catalog import queries as catalog_queries
from products.models import Category, Location, Moment, Product, Stock, Variant
from products.stock.availability import IN_STOCK, NOTHING_FREE


@dataclass(frozen=True)
class Order:
    """By columns, then by id in the same direction, as the indexes go; with the columns' types."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    types: tuple[type, ...]
    descending: bool = False

    @property
    def keys(self) -> list[str]:
        """What the columns are called in a row of a list."""
        return [f"sort_key_{place}" for place in range(len(self.columns))]


#: Newest first.
NEWEST = Order((Product.created_at,), (datetime.datetime,), descending=True)
#: Prices of different currencies are not to be compared: those of each come together.
_BY_PRICE = (Product.currency, Product.price), (str, Decimal)

ORDERS: dict[str, Order] = {
    Sort.NAME: Order((Product.sort_name,), (str,)),
    Sort.PRICE: Order(*_BY_PRICE),
    Sort.HIGHEST_PRICE: Order(*_BY_PRICE, descending=True),
    Sort.NEWEST: NEWEST,
    Sort.RELEVANCE: NEWEST,
}

#: Where a search looks: in titles, in all but the titles, in both at once; or, before the other
#: titles, for the very product that was named.
EVERYWHERE, TITLE, REST, EXACT = 0, 1, 2, 3


@dataclass(frozen=True)
class Shape:
    """What distinguishes one statement from another; the values are its parameters."""

    sort: str
    tier: int | None  # None: no search
    category: type | None  # int: by id, str: by slug
    currency: bool
    min_price: bool
    max_price: bool
    in_stock: bool | None
    after: bool
    #: Of what is sold out: it is little.
    few: bool = False
    #: By price, in the currencies that come after the one of `after_0`.
    beyond: bool = False
    #: Of a search: only in the newest, as many as `near`; or those made at `since` and later.
    near: bool = False
    since: bool = False


@lru_cache(maxsize=2048)  # more than there are shapes
def statement(shape: Shape) -> Select[Any]:
    """Products with the `keys` of their order.

    Takes the parameters `now`, `rows` (how many), `lookahead` (how many to put in order in each
    category, or for a search) and, by the shape, `query` (text of a tsquery), `category`,
    `currency`, `min_price`, `max_price`, `after_0` (and on, by the order), `after_id`, `near` and
    `since`.
    """
    order = ORDERS[shape.sort]
    found = _found(shape, order)
    if shape.category is not None:
        found = _by_category(found, _branch(shape.category), order)
    if shape.tier is not None:
        many = _in_order(found, order, "lookahead").cte().prefix_with("MATERIALIZED")
        found = select(*many.c)
    page = _in_order(found, order, "rows").subquery()
    keys = [page.c[key] for key in order.keys]
    products = catalog_queries.select_products().add_columns(*keys)
    return products.join(page, page.c.id == Product.id).order_by(*_columns(order, *keys, page.c.id))


#: The first and the last of the currencies that prices are in, by their codes.
CURRENCIES = select(func.min(Product.currency), func.max(Product.currency)).where(
    Product.deleted_at.is_(None)
)

#: About as many as there are products: deleted ones stay, and ids have gaps.
NEWEST_ID = select(func.max(Product.id))

_NAMED = (
    select(Product.id)
    .where(
        Product.deleted_at.is_(None),
        Product.title.bool_op("@@")(cast(bindparam("exact", type_=Text), TSQUERY)),
    )
    # Or the planner would walk through the catalog, hoping to meet one soon.
    .cte()
    .prefix_with("MATERIALIZED")
)
#: Whether some product is `exact`: mostly none, and then there is no need to look for a page.
IS_NAMED = select(exists().select_from(_NAMED))

_WITH_WORDS = (
    select(Product.id)
    .where(
        Product.deleted_at.is_(None),
        Product.document.bool_op("@@")(cast(bindparam("words", type_=Text), TSQUERY)),
    )
    # For so many the planner takes the index, see `products.catalog.listing.LOOKAHEAD`.
    .limit(bindparam("lookahead"))
    .cte()
    .prefix_with("MATERIALIZED")
)
#: Whether some product has the `words` of a search, whatever filters say.
HAS_WORDS = select(exists().select_from(_WITH_WORDS))

_START = func.coalesce(bindparam("start", type_=BigInteger), NEWEST_ID.scalar_subquery())

#: When that product was made that is about `far` older, by its id, than that of id `start`, or than
#: the newest when it is None.
MADE = (
    select(Product.created_at)
    .where(Product.id <= _START - bindparam("far", type_=BigInteger))
    .order_by(Product.id.desc())
    .limit(1)
)


def _found(shape: Shape, order: Order) -> Select[Any]:
    product = _near(shape, order) if shape.near else Product
    columns = (getattr(product, column.key) for column in order.columns)
    keys = (column.label(key) for column, key in zip(columns, order.keys, strict=True))
    found = select(*keys, product.id)
    return found.where(*_conditions(product, shape), *(() if shape.near else _place(shape, order)))


def _near(shape: Shape, order: Order) -> type[Product]:
    """The newest, read in order whatever the planner thinks of the conditions on them."""
    newest = select(Product.__table__).where(*_place(shape, order))
    names = (*(column.key for column in order.columns), "id")
    columns = (newest.selected_columns[name] for name in names)
    return aliased(
        Product, newest.order_by(*_columns(order, *columns)).limit(bindparam("near")).subquery()
    )


def _place(shape: Shape, order: Order) -> Iterator[ColumnElement[bool]]:
    """Which part of the order is looked at."""
    yield Product.deleted_at.is_(None)
    if shape.since:
        yield Product.created_at >= bindparam("since", type_=Moment)
    after = [
        (column, bindparam(f"after_{place}", type_=column.type))
        for place, column in enumerate(order.columns)
    ]
    if shape.beyond:
        currency, last_one = after[0]
        yield currency < last_one if order.descending else currency > last_one
    if shape.after:
        # One currency is better left out: of a row that begins with a common value, as most prices
        # do, the planner thinks that hardly any is greater.
        after = [(column, key) for column, key in after if not _is_fixed(shape, column)]
        row = tuple_(*(column for column, _ in after), Product.id)
        last = tuple_(*(key for _, key in after), bindparam("after_id"))
        yield row < last if order.descending else row > last


def _is_fixed(shape: Shape, column: InstrumentedAttribute[Any]) -> bool:
    return shape.currency and column is Product.currency


def _conditions(product: type[Product], shape: Shape) -> Iterator[ColumnElement[bool]]:
    if shape.currency:
        yield product.currency == bindparam("currency")
    if shape.min_price:
        yield product.price >= bindparam("min_price")
    if shape.max_price:
        yield product.price <= bindparam("max_price")
    if shape.in_stock is not None:
        has_some = _has_variant(product, IN_STOCK)
        yield has_some if shape.in_stock else ~has_some
        if shape.few:
            yield product.id == any_(_SOLD_OUT)
    if shape.tier is not None:
        query = cast(bindparam("query", type_=Text), TSQUERY)
        is_title = shape.tier in (EXACT, TITLE)
        yield (product.title if is_title else product.document).bool_op("@@")(query)
        if shape.tier == REST:
            yield ~product.title.bool_op("@@")(query)


_FEW = select(literal(1)).select_from(Stock).where(NOTHING_FREE).limit(bindparam("few")).subquery()
#: How many stocks are sold out, `few` at most: so few are better looked up than met in order. What
#: lies at a closed location is not for sale either, and no index finds it: then it is `few`.
SOLD_OUT_STOCKS = select(
    case(
        (exists().where(~Location.active), bindparam("few")),
        else_=select(func.count()).select_from(_FEW).scalar_subquery(),
    )
)

# One by one: by a join, the planner would read all variants.
_PRODUCT_OF = select(Variant.product_id).where(Variant.id == Stock.variant_id).correlate(Stock)
_SOLD_OUT = func.array(select(_PRODUCT_OF.scalar_subquery()).where(NOTHING_FREE).scalar_subquery())


def _has_variant(product: type[Product], is_so: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the stock of some variant of the product is so."""
    of_product = (Variant.product_id == product.id, Variant.deleted_at.is_(None))
    return (
        select(literal(1))
        .select_from(Variant)
        .join(Stock, Stock.variant_id == Variant.id)
        .where(*of_product, is_so)
        .correlate(product)
        .exists()
    )


def _in_order(found: Select[Any], order: Order, limit: str) -> Select[Any]:
    return found.order_by(*_columns(order, *found.selected_columns)).limit(bindparam(limit))


def _columns(order: Order, *columns: ColumnElement[Any]) -> Iterator[ColumnElement[Any]]:
    return (column.desc() if order.descending else column for column in columns)


def _branch(given: type) -> CTE:
    """The category that was given and all below it."""
    column = Category.id if given is int else Category.slug
    branch = select(Category.id).where(column == bindparam("category")).cte(recursive=True)
    return branch.union(select(Category.id).join(branch, Category.parent_id == branch.c.id))


def _by_category(found: Select[Any], branch: CTE, order: Order) -> Select[Any]:
    """What is found in each category, to be merged: so every product that is read comes from an
    index in the order asked for, however the products are spread over the categories."""
    each = found.where(Product.category_id == branch.c.id).correlate(branch)
    first = _in_order(each, order, "lookahead").lateral("first")
    return select(*first.c).select_from(branch.join(first, true()))
