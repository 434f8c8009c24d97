"""Lists of products: filtered, searched, ordered, page by page.

Relevance has three tiers, each newest first: the product of exactly that name, all words in the
name, SKU or attributes, then the rest. Unlike a score for each match, which must be computed for
all of them before the first can be shown, the tiers are read in index order, so a word that half of
the catalog has costs no more than a rare one; and a cursor stays exact while products come and go.
And since the newest come first, a page is mostly found among those that were made last: in a large
catalog only a rare word has all of it searched.
"""

import datetime
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row

from chassis import paging
from chassis.currencies import MOST_PLACES
from chassis.errors import Invalid
from chassis.fields import MAX_MONEY
from chassis.messages import Json
from contracts.products.enums import Sort
from products.catalog.listing_sql import (
    CURRENCIES,
    EVERYWHERE,
    EXACT,
    HAS_WORDS,
    IS_NAMED,
    MADE,
    NEWEST,
    NEWEST_ID,
    ORDERS,
    REST,
    SOLD_OUT_STOCKS,
    TITLE,
    Shape,
    statement,
)
from products.search import index as search_index
from products.search import tsquery

#: So many matches of a search are put in order, though a page shows fewer. PostgreSQL guesses badly
#: how many there are of a rare word, and for a few rows it may walk through the whole catalog in
#: order, hoping to meet them soon; for this many it takes the index of the words.
LOOKAHEAD = 1000
#: The same in each category of a branch, which has fewer products to walk through.
LOOKAHEAD_IN_CATEGORY = 100
#: In a catalog of more products than `MANY` a search looks first among so many of the newest; when
#: it finds some there, but too few, among about so many; then among all.
MANY, NEAR, FAR = 200_000, 3_000, 20_000
#: The tiers in their order. The numbers are in cursors that people hold.
_BY_RELEVANCE = (EXACT, TITLE, REST)

#: So few stocks that are sold out are looked up, instead of being met in the order of a list.
FEW = 3_000

#: Seconds until a small catalog is asked again whether it has become large.
FRESH = 60.0

_known_sizes: WeakKeyDictionary[Engine, tuple[float, bool]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None means not at all. `category` is a slug or an id, and means
    its descendants too; `in_stock` False means sold out."""

    search: str | None = None
    category: str | int | None = None
    currency: str | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    in_stock: bool | None = None


@dataclass(frozen=True)
class Position:
    """How far a reader of a list has come."""

    corrected: bool = False  # nothing matched exactly, so near words were searched
    tier: int = EVERYWHERE
    after: tuple[Any, ...] | None = None  # sort keys and id of the last product shown


def list_products(
    connection: Connection,
    filters: Filters,
    sort: str | None,
    limit: int,
    cursor: str | None,
    now: datetime.datetime,
    currency: str = "EUR",
) -> Json:
    """A page of products as `{"items", "next"}`; raises `Invalid` for a cursor of another list.

    Without `sort` a search comes by relevance, anything else newest first. Bounds of a price that
    say no currency are in that of the catalog, or in `currency`, the shop's, when it has several.
    """
    filters = _in_currency(connection, filters, currency)
    if sort is None or (sort == Sort.RELEVANCE and not filters.search):
        sort = Sort.RELEVANCE if filters.search else Sort.NEWEST
    position = _decode(cursor, sort) if cursor else Position()
    rows = _find(connection, filters, sort, position, limit, now)
    if not rows and not cursor and filters.search and not _is_right(connection, filters):
        position = Position(corrected=True)
        rows = _find(connection, filters, sort, position, limit, now)
    items = []
    for tier, row in rows[:limit]:
        item = dict(row._mapping)
        keys = [item.pop(key) for key in ORDERS[sort].keys]
        position = replace(position, tier=tier, after=(*keys, row.id))
        items.append(item)
    return {"items": items, "next": _encode(sort, position) if len(rows) > limit else None}


def _in_currency(connection: Connection, filters: Filters, currency: str) -> Filters:
    if filters.currency or (filters.min_price is None and filters.max_price is None):
        return filters
    first, last = connection.execute(CURRENCIES).one()
    return replace(filters, currency=first if first and first == last else currency)


def _is_right(connection: Connection, filters: Filters) -> bool:
    """Whether a search that found nothing is no misspelling: the filters left out what has its
    words."""
    query = tsquery.as_typed(filters.search or "")
    if query is None or replace(filters, search=None) == Filters():
        return False
    words = {"words": query.words, "lookahead": LOOKAHEAD}
    return bool(connection.scalar(HAS_WORDS, words))


def _encode(sort: str, position: Position) -> str:
    return paging.encode(
        "products", [sort, position.corrected, position.tier, *(position.after or ())]
    )


def _decode(cursor: str, sort: str) -> Position:
    types = (str, bool, int, *ORDERS[sort].types, int)
    of_sort, corrected, tier, *after = paging.decode("products", cursor, types)
    if of_sort != sort or tier not in (EVERYWHERE, *_BY_RELEVANCE) or any(map(_is_absurd, after)):
        raise Invalid(errors={"cursor": ["Not a cursor of this list."]})
    return Position(corrected, tier, tuple(after))


def _is_absurd(key: Any) -> bool:
    """No price that can be in the books."""
    if not isinstance(key, Decimal):
        return False
    exponent = key.as_tuple().exponent
    return not (isinstance(exponent, int) and exponent >= -MOST_PLACES and abs(key) <= MAX_MONEY)


def _find(
    connection: Connection,
    filters: Filters,
    sort: str,
    position: Position,
    limit: int,
    now: datetime.datetime,
) -> list[tuple[int, Row[Any]]]:
    """Up to `limit` + 1 products after `position`, each with its tier."""
    values = _values(filters, now)
    query = _query(connection, filters.search, position) if filters.search else None
    rows: list[tuple[int, Row[Any]]] = []
    if filters.search and query is None:
        return rows
    few = filters.in_stock is False and _are_few_sold_out(connection, now)
    for tier, after in _tiers(connection, sort, position, query):
        values |= {"query": _of_tier(query, tier)}
        if after is not None:
            *keys, last_id = after
            values |= {f"after_{place}": key for place, key in enumerate(keys)}
            values |= {"after_id": last_id}
        for shape in _stretches(_shape(filters, sort, tier, after is not None, few)):
            values |= {"rows": limit + 1 - len(rows)}
            if shape.currency and not filters.currency:
                values |= {"currency": values["after_0"]}
            rows += [(tier, row) for row in _page(connection, filters, shape, values)]
            if len(rows) > limit:
                return rows
    return rows


def _stretches(shape: Shape) -> Iterator[Shape]:
    """By price, what follows the last product shown is the rest of its currency, and then the
    currencies after it."""
    if shape.after and shape.sort in (Sort.PRICE, Sort.HIGHEST_PRICE) and not shape.currency:
        yield replace(shape, currency=True)
        yield replace(shape, after=False, beyond=True)
    else:
        yield shape


def _page(
    connection: Connection, filters: Filters, shape: Shape, values: dict[str, Any]
) -> Sequence[Row[Any]]:
    """Up to `values["rows"]` products. A search by newest first in a large catalog looks at those
    made last before it puts in order all that match."""

    def execute(lookahead: int, near: bool = False, since: bool = False) -> Sequence[Row[Any]]:
        limits = {"lookahead": max(values["rows"], lookahead)}
        of_part = statement(replace(shape, near=near, since=since))
        return connection.execute(of_part, values | limits).all()

    if (
        shape.tier is None
        or shape.category is not None
        or ORDERS[shape.sort] is not NEWEST
        or not _is_large(connection)
    ):
        return execute(_lookahead(filters))
    values |= {"near": NEAR, "far": FAR, "start": values.get("after_id")}
    rows = execute(0, near=True)
    if 0 < len(rows) < values["rows"]:
        values["since"] = connection.scalar(MADE, values)
        if values["since"] is not None:
            rows = execute(LOOKAHEAD, since=True)
    return rows if len(rows) == values["rows"] else execute(LOOKAHEAD)


def _are_few_sold_out(connection: Connection, now: datetime.datetime) -> bool:
    return (connection.scalar(SOLD_OUT_STOCKS, {"few": FEW, "now": now}) or 0) < FEW


def _is_large(connection: Connection) -> bool:
    """Whether there are more products than `MANY`, as far as was known a minute ago. A catalog that
    was large stays so: no product is ever gone for good."""
    asked, is_large = _known_sizes.get(connection.engine, (float("-inf"), False))
    if not is_large and time.monotonic() > asked + FRESH:
        is_large = (connection.scalar(NEWEST_ID) or 0) > MANY
        _known_sizes[connection.engine] = (time.monotonic(), is_large)
    return is_large


def _tiers(
    connection: Connection, sort: str, position: Position, query: tsquery.Query | None
) -> Iterator[tuple[int, tuple[Any, ...] | None]]:
    """The tiers that are still to be read, each with where to begin in it."""
    if sort != Sort.RELEVANCE or query is None:
        yield EVERYWHERE, position.after
        return
    begun = position.tier if position.after else EXACT
    if begun == EXACT and not (query.exact and connection.scalar(IS_NAMED, {"exact": query.exact})):
        begun = TITLE
    for tier in _BY_RELEVANCE[_BY_RELEVANCE.index(begun) :]:
        yield tier, position.after if tier == position.tier else None


def _query(connection: Connection, typed: str, position: Position) -> tsquery.Query | None:
    if position.corrected:
        return search_index.corrected_query(connection, typed)
    return tsquery.as_typed(typed)


def _of_tier(query: tsquery.Query | None, tier: int) -> str | None:
    if query is None:
        return None
    return {EXACT: query.exact, TITLE: query.not_exact}.get(tier, query.words)


def _values(filters: Filters, now: datetime.datetime) -> dict[str, Any]:
    return {
        "now": now,
        "category": filters.category,
        "currency": filters.currency,
        "min_price": filters.min_price,
        "max_price": filters.max_price,
    }


def _lookahead(filters: Filters) -> int:
    if not filters.search:
        return 0
    return LOOKAHEAD if filters.category is None else LOOKAHEAD_IN_CATEGORY


def _shape(filters: Filters, sort: str, tier: int, after: bool, few: bool) -> Shape:
    return Shape(
        sort=sort,
        tier=tier if filters.search else None,
        category=None if filters.category is None else type(filters.category),
        currency=filters.currency is not None,
        min_price=filters.min_price is not None,
        max_price=filters.max_price is not None,
        in_stock=filters.in_stock,
        after=after,
        few=few,
    )
