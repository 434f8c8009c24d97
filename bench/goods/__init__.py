"""Fills the shop's own databases with as many products and orders as a measurement wants.

By SQL alone, deterministic: the n-th product is the same in every catalog. What the shop's code
would have written beside a product is written here too: stock with its ledger, and the words that
misspellings are corrected to. Orders have their lines and a timeline; nobody paid for them.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import psycopg2

from bench.goods import sql, vocabulary

#: Rows of one INSERT. Connections take turns by so many, so that the table is in order by id.
CHUNK = 10_000

#: Connections at once: to_tsvector is most of the work, and a connection has one processor.
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
        cursor.execute(sql.WORDS, {"texts": _texts()})
    with _without_indexes(products_dsn, "products", "stock", "movements"):
        _in_chunks(products_dsn, products, sql.statement(sql.PRODUCTS), _values(leaves))
        _in_chunks(products_dsn, products, sql.statement(sql.STOCK), {})
    _settle(products_dsn, "products")
    with _without_indexes(orders_dsn, "orders", "order_lines", "timeline"):
        for template in (sql.ORDERS, sql.ORDER_LINES, sql.TIMELINE):
            _in_chunks(orders_dsn, orders, sql.statement(template), {"products": products})
    _settle(orders_dsn)


def _texts() -> list[str]:
    lists = (vocabulary.BRANDS, vocabulary.ADJECTIVES, vocabulary.MATERIALS, vocabulary.COLOURS)
    return [
        *(word for words in lists for word in words),
        *(kind for kinds in vocabulary.DEPARTMENTS.values() for kind in kinds),
        *vocabulary.SENTENCES,
    ]


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


def _in_chunks(dsn: str, rows: int, statement: str, values: dict[str, Any]) -> None:
    """Run `statement` for `first` to `last` of each chunk of `rows`."""
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

    def work() -> None:
        try:
            with _connected(dsn) as cursor:
                while not failures:
                    first = chunks.get_nowait()
                    last = min(first + CHUNK - 1, rows)
                    cursor.execute(statement, values | {"first": first, "last": last})
        except Empty:
            return
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
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
