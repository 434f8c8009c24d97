"""Lists of a large catalog read an index, and of it not much more than they show."""

import datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa

from products.catalog import listing
from products.catalog import queries as catalog_queries
from products.catalog.listing import Filters

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
PRODUCTS = 100_000

#: Rows that one list may look at: a few pages of each category, and matches of a search.
MOST = 3_000

# Ten departments with four categories each; dearer products in later ones, as in real shops. One
# word is in every name, "lantern" in every hundredth, "kettle" in 20 descriptions; most have stock.
_FILL = """
    INSERT INTO categories (name, slug, description, parent_id, version)
    SELECT 'C' || n, 'c' || n, '', NULL, 1 FROM generate_series(1, 10) n;
    INSERT INTO categories (name, slug, description, parent_id, version)
    SELECT 'C' || n, 'c' || n, '', 1 + n % 10, 1 FROM generate_series(11, 50) n;
    INSERT INTO products (sku, name, description, price, currency, category_id, images, attributes,
        version, created_at, updated_at, title, document, indexed_version)
    SELECT 'S-' || n, name, description, n % 40 * 20 + n % 19,
        CASE WHEN n % 500 = 0 THEN 'JPY' ELSE 'EUR' END, 11 + n % 40, '[]', '{}', 1,
        moment, moment, to_tsvector('english', name),
        to_tsvector('english', name || ' ' || description), 1
    FROM generate_series(1, :products) n, LATERAL (
        SELECT TIMESTAMPTZ '2029-01-01' + n * INTERVAL '1 minute' AS moment,
            CASE WHEN n % 100 = 0 THEN 'Lantern ' ELSE 'Thing ' END || 'common ' || n AS name,
            CASE WHEN n % 1000 = 0 THEN 'Like a kettle' ELSE md5(n::text) END AS description
    ) m;
    INSERT INTO search_words (word) VALUES ('lantern'), ('thing'), ('common'), ('like'), ('kettle');
    INSERT INTO variants (id, product_id) SELECT id, id FROM products;
    INSERT INTO stock (variant_id, on_hand, reserved, version)
    SELECT id, abs(hashint8(id)) % 20, 0, 1 FROM products;
"""

LISTS = {
    "newest": (Filters(), None),
    "by name": (Filters(), "name"),
    "by price": (Filters(), "price"),
    "dearest": (Filters(), "-price"),
    "in a currency": (Filters(currency="EUR"), None),
    "in a rare currency": (Filters(currency="JPY"), "price"),
    "in a rare currency by name": (Filters(currency="JPY"), "name"),
    "in no such currency": (Filters(currency="USD"), "name"),
    "price range in a rare currency": (Filters(currency="JPY", min_price=Decimal(700)), "name"),
    "department": (Filters(category="c3"), "-created_at"),
    "department by price": (Filters(category="c10"), "price"),
    "category by name": (Filters(category=17), "name"),
    "unknown category": (Filters(category="none"), "name"),
    "price range": (Filters(min_price=Decimal(100), max_price=Decimal(101)), "price"),
    "price range by name": (Filters(min_price=Decimal(100), max_price=Decimal(101)), "name"),
    "nothing so dear": (Filters(min_price=Decimal(9999)), "name"),
    "in stock": (Filters(in_stock=True), "price"),
    "sold out": (Filters(in_stock=False), "-price"),
    "department in stock": (Filters(category="c5", in_stock=True), "price"),
    "some words": (Filters(search="lantern"), None),
    "rare words": (Filters(search="kettle"), None),
    "a word of all": (Filters(search="common"), None),
    "no such word": (Filters(search="zzyzx"), None),
    "a typo": (Filters(search="kettel"), None),
    "words by price": (Filters(search="lantern"), "price"),
    "words in a department": (Filters(search="lantern", category="c3"), "price"),
    "a word of all in a department": (Filters(search="common", category="c3"), None),
    "all filters": (
        Filters("lantern", "c1", "EUR", Decimal(10), Decimal(700), in_stock=True),
        "-created_at",
    ),
}


@pytest.fixture
def connection(engine):
    """A connection to a database with many products, that notes the plan of each statement."""
    with engine.begin() as connection:
        connection.execute(sa.text(_FILL), {"products": PRODUCTS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
        yield connection


def plans(connection, work):
    """The executed plans of the statements that `work` runs."""
    statements, found = [], []

    def note(conn, cursor, statement, parameters, context, executemany):
        statements.append((statement, parameters))

    sa.event.listen(connection, "before_cursor_execute", note)
    work()
    sa.event.remove(connection, "before_cursor_execute", note)
    with connection.connection.cursor() as cursor:
        for statement, parameters in statements:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            found.append(cursor.fetchone()[0][0]["Plan"])
    return found


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def looked_at(node):
    """Rows that a scan took into its hands."""
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return (node["Actual Rows"] + removed) * node["Actual Loops"]


def assert_lean(plan, name):
    for node in nodes(plan):
        if node.get("Relation Name") in ("products", "variants", "stock"):
            assert node["Node Type"] != "Seq Scan", name
            assert looked_at(node) <= MOST, name


def test_every_list_reads_an_index(connection):
    """Whatever the filters, first page or a later one, no list walks through the catalog."""
    for name, (filters, sort) in LISTS.items():
        page = {"next": None}

        def read(filters=filters, sort=sort):
            nonlocal page
            page = listing.list_products(connection, filters, sort, 20, page["next"], NOW)

        for plan in plans(connection, read):
            assert_lean(plan, name)
        if page["next"]:
            for plan in plans(connection, read):
                assert_lean(plan, f"{name}, next page")


def test_little_that_is_sold_out_is_looked_up(connection):
    """It would be met in order only after most of the catalog."""
    refill = "UPDATE stock SET on_hand = 5 WHERE on_hand = 0 AND variant_id > 2000"
    connection.execute(sa.text(refill))
    connection.execute(sa.text("VACUUM ANALYZE stock"))
    for filters, sort in (
        (Filters(in_stock=False), "-price"),
        (Filters(in_stock=False), None),
        (Filters(in_stock=False, category="c5"), "name"),
        (Filters("common", in_stock=False), None),
    ):

        def read(filters=filters, sort=sort):
            page = listing.list_products(connection, filters, sort, 5, None, NOW)
            assert len(page["items"]) == 5

        for plan in plans(connection, read):
            assert_lean(plan, f"{filters}, {sort}")


def test_every_look_up_reads_an_index(connection):
    """One product, or many by id or SKU."""
    ids, skus = list(range(1, 21)), [f"S-{n}" for n in range(1, 21)]
    for name, read in {
        "one": lambda: catalog_queries.get(connection, 7, NOW),
        "by ids": lambda: catalog_queries.get_many(connection, ids, None, NOW),
        "by SKUs": lambda: catalog_queries.get_many(connection, None, skus, NOW),
    }.items():
        (plan,) = plans(connection, read)
        assert_lean(plan, name)


def test_a_search_of_a_large_catalog_finds_all_there_is(connection, monkeypatch):
    """Looking at the newest first leaves nothing out, changes no order, and looks at no more."""
    monkeypatch.setattr(listing, "MANY", PRODUCTS - 1)
    monkeypatch.setattr(listing, "_known_sizes", {})
    for words, column in {"lantern": "title", "kettle": "document"}.items():
        found, page = [], {"next": None}

        def read(words=words):
            nonlocal page
            page = listing.list_products(connection, Filters(words), None, 90, page["next"], NOW)

        while not found or page["next"]:
            for plan in plans(connection, read):
                assert_lean(plan, words)
            found += [item["id"] for item in page["items"]]
        all_there_is = sa.text(
            f"SELECT id FROM products WHERE {column} @@ to_tsquery('english', :words)"
            " ORDER BY created_at DESC, id DESC"
        )
        assert found == connection.scalars(all_there_is, {"words": words}).all()
