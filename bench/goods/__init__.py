"""Fills the shop's own databases with as many products and orders as a measurement wants.

By SQL alone, deterministic: the n-th product is the same in every catalog. What the shop's code
would have written beside a product is written here too: stock with its ledger, and the words that
misspellings are corrected to. Orders have their lines and a timeline; nobody paid for them.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import psycopg2

from bench.goods import sql, vocabulary
from products.search.terms import index_terms

#: What is done for one chunk: with a cursor, and the values of its statements.
Work = Callable[[Any, dict[str, Any]], None]

#: Rows of one INSERT. Connections take turns by so many, so that the table is in order by id.
CHUNK = 10_000

#: Connections at once: one computes while another writes.
AT_ONCE = 2

#: The n-th product and the n-th order are so many seconds younger than the first.
BEGINNING, PACE = "2025-01-01 00:00:00+00", 13

#: Buys every tenth order, so that one buyer has many.
FAITHFUL_BUYER = "00000000-0000-4000-8000-000000000001"
#: The others buy so many each.
ORDERS_OF_A_BUYER = 5

#: What people look for: a brand, a kind of thing, a material and a colour, a word of descriptions,
#: two words of a name; one product of 500 to one of 20.
SEARCHES = ("norvik", "kettle", "walnut", "turquoise", "oak bookcase", "dishwasher")


def fill(products_dsn: str, orders_dsn: str, *, products: int, orders: int = 0) -> None:
    """Fill migrated, empty databases; the role has to be a superuser.

    Raises psycopg2's errors, also when there are products or orders already.
    """
    kinds = [(kind, name) for name, of in vocabulary.DEPARTMENTS.items() for kind in of]
    with _connected(products_dsn) as cursor:
        cursor.execute(
            sql.CATEGORIES,
            {
                "departments": list(vocabulary.DEPARTMENTS),
                "kinds": [kind for kind, _ in kinds],
                "department_of": [department for _, department in kinds],
            },
        )
        cursor.execute("SELECT name, id FROM categories WHERE parent_id IS NOT NULL ORDER BY id")
        leaves = cursor.fetchall()
    with _without_indexes(products_dsn, "products", "variants", "stock", "movements"):
        _in_chunks(products_dsn, products, _make_products, _values(leaves))
        _in_chunks(products_dsn, products, sql.statement(sql.STOCK), {})
    _settle(products_dsn, "products")
    with _without_indexes(orders_dsn, "orders", "order_lines", "timeline"):
        for template in (sql.ORDERS, sql.ORDER_LINES, sql.TIMELINE):
            _in_chunks(orders_dsn, orders, sql.statement(template), {"products": products})
    _settle(orders_dsn)


def _values(leaves: list[tuple[str, int]]) -> dict[str, Any]:
    lists = {
        "brands": vocabulary.BRANDS,
        "adjectives": vocabulary.ADJECTIVES,
        "materials": vocabulary.MATERIALS,
        "colours": vocabulary.COLOURS,
        "sentences": list(vocabulary.SENTENCES),
        "kinds": [name for name, _ in leaves],
        "categories": [category_id for _, category_id in leaves],
    }
    return lists | {f"{name}_many": len(values) for name, values in lists.items()}


def _make_products(cursor: Any, values: dict[str, Any]) -> None:
    """The products of a chunk, found by what the shop itself would have them found by."""
    cursor.execute(sql.statement(sql.PRODUCTS), values)
    columns = [column.name for column in cursor.description]
    made = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    terms = [index_terms(product) for product in made]
    found = {
        "ids": [product["id"] for product in made],
        "titles": [_vector(each.title) for each in terms],
        "documents": [_vector(each.document) for each in terms],
    }
    cursor.execute(sql.statement(sql.INDEXED), values | found)
    words = sorted({word for each in terms for word in each.words})
    cursor.execute(sql.WORDS, {"words": words})


def _vector(terms: set[str]) -> str:
    return " ".join(f"'{term}'" for term in terms)


def _in_chunks(dsn: str, rows: int, work: str | Work, values: dict[str, Any]) -> None:
    """Do a statement, or something else, for `first` to `last` of each chunk of `rows`."""
    values = values | {
        "beginning": BEGINNING,
        "pace": PACE,
        "faithful": FAITHFUL_BUYER,
        "each": ORDERS_OF_A_BUYER,
    }
    chunks: SimpleQueue[int] = SimpleQueue()
    for first in range(1, rows + 1, CHUNK):
        chunks.put(first)
    failures: list[Exception] = []

    def take_turns() -> None:
        try:
            with _connected(dsn) as cursor:
                while not failures:
                    first = chunks.get_nowait()
                    last = min(first + CHUNK - 1, rows)
                    of_chunk = values | {"first": first, "last": last}
                    if isinstance(work, str):
                        cursor.execute(work, of_chunk)
                    else:
                        work(cursor, of_chunk)
        except Empty:
            return
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=take_turns) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@contextmanager
def _connected(dsn: str) -> Iterator[Any]:
    """A cursor whose statements commit one by one and run no trigger.

    Without triggers no foreign key is looked up and no word gathered row by row: the rows fit, and
    the words are known.
    """
    with closing(psycopg2.connect(dsn.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("SET maintenance_work_mem = '256MB'")
            cursor.execute("SET jit = off")
            yield cursor


@contextmanager
def _without_indexes(dsn: str, *tables: str) -> Iterator[None]:
    """Indexes that no constraint needs are made after the rows, which takes a fraction of it."""
    with _connected(dsn) as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = ANY(%s::regclass[]) AND NOT EXISTS"
            " (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
            [list(tables)],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)


def _settle(dsn: str, *numbered: str) -> None:
    """Statistics as autovacuum would have made them by tomorrow, and ids that go on."""
    with _connected(dsn) as cursor:
        for table in numbered:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
            )
        cursor.execute("VACUUM ANALYZE")
