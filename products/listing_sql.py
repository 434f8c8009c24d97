"""The statements behind the lists of products, one for each combination of filters.

Each finds ids in order first, from an index as far as possible, and then what is shown of them.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, bindparam, func, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from products import catalog
from products.availability import IN_STOCK, SOLD_OUT
from products.models import Category, Product, Stock


@dataclass(frozen=True)
class Order:
    """By a column, then by id in the same direction, as the indexes go."""

    column: InstrumentedAttribute[Any]
    type: type
    descending: bool = False


ORDERS = {
    "name": Order(Product.sort_name, str),
    "price": Order(Product.price, Decimal),
    "-price": Order(Product.price, Decimal, descending=True),
    "-created_at": Order(Product.created_at, datetime.datetime, descending=True),
    "relevance": Order(Product.created_at, datetime.datetime, descending=True),
}

#: Where a search looks: in titles, in all but the titles, or in both at once.
EVERYWHERE, TITLE, REST = 0, 1, 2


@dataclass(frozen=True)
class Shape:
    """What distinguishes one statement from another; the values are its parameters."""

    sort: str
    tier: int | None  # None: no search
    category: type | None  # int: by id, str: by slug
    min_price: bool
    max_price: bool
    in_stock: bool | None
    after: bool


@lru_cache(maxsize=1024)  # more than there are shapes
def statement(shape: Shape) -> Select[Any]:
    """Products with their `sort_key`.

    Takes the parameters `now`, `rows` (how many), `lookahead` (how many to put in order in each
    category, or for a search) and, by the shape, `query` (text for to_tsquery), `category`,
    `min_price`, `max_price`, `after_key` and `after_id`.
    """
    order = ORDERS[shape.sort]
    found = _found(shape, order)
    if shape.category is not None:
        found = _by_category(found, _branch(shape.category), order)
    if shape.tier is not None:
        many = _in_order(found, order, "lookahead").cte().prefix_with("MATERIALIZED")
        found = select(many.c.sort_key, many.c.id)
    page = _in_order(found, order, "rows").subquery()
    shown = catalog.shown().add_columns(page.c.sort_key).join(page, page.c.id == Product.id)
    return shown.order_by(*_columns(order, page.c.sort_key, page.c.id))


def _found(shape: Shape, order: Order) -> Select[Any]:
    found = select(order.column.label("sort_key"), Product.id).where(Product.deleted_at.is_(None))
    if shape.in_stock is not None:
        found = found.join(Stock, Stock.product_id == Product.id)
    return found.where(*_conditions(shape, order))


def _conditions(shape: Shape, order: Order) -> Iterator[ColumnElement[bool]]:
    if shape.min_price:
        yield Product.price >= bindparam("min_price")
    if shape.max_price:
        yield Product.price <= bindparam("max_price")
    if shape.in_stock is not None:
        yield IN_STOCK if shape.in_stock else SOLD_OUT
    if shape.tier is not None:
        query = func.to_tsquery("english", bindparam("query"))
        yield (Product.title if shape.tier == TITLE else Product.document).bool_op("@@")(query)
        if shape.tier == REST:
            yield ~Product.title.bool_op("@@")(query)
    if shape.after:
        row = tuple_(order.column, Product.id)
        last = tuple_(bindparam("after_key", type_=order.column.type), bindparam("after_id"))
        yield row < last if order.descending else row > last


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
    return select(first.c.sort_key, first.c.id).select_from(branch.join(first, true()))
