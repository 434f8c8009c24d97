"""The goods that measurements are made on are as the shop would have made them."""

import psycopg2
import pytest

from bench import goods
from chassis import config as configuration
from products.search.terms import index_terms
from tests.conftest import empty

PRODUCTS, ORDERS = 300, 40


@pytest.fixture
def ask(databases):
    """`ask("products", "SELECT …")`: rows of a database that was filled."""
    urls = {
        package: configuration.database_url({"DATABASE_URL": databases}, package)
        for package in ("products", "orders")
    }
    for url in urls.values():
        empty(url)
    goods.fill(urls["products"], urls["orders"], products=PRODUCTS, orders=ORDERS)

    def ask(package, query):
        connection = psycopg2.connect(urls[package].replace("+psycopg2", ""))
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    yield ask
    for url in urls.values():
        empty(url)


def test_products_have_the_terms_and_the_ledger_that_the_shop_would_have_given_them(ask):
    """Goods are made by SQL, so what the service does beside is done here too."""
    words = {word for (word,) in ask("products", "SELECT word FROM search_words")}
    fields = ("name", "sku", "description", "attributes")
    found = ask(
        "products",
        f"SELECT tsvector_to_array(title), tsvector_to_array(document), {', '.join(fields)}"
        " FROM products WHERE indexed_version = version",
    )
    assert len(found) == PRODUCTS
    for title, document, *values in found:
        expected = index_terms(dict(zip(fields, values, strict=True)))
        assert ({*title}, {*document}) == (expected.title, expected.document)
        assert expected.words <= words
    counted = "SELECT variant_id, on_hand FROM stock WHERE on_hand > 0 ORDER BY 1"
    moved = "SELECT variant_id, sum(delta_on_hand) FROM movements GROUP BY 1 ORDER BY 1"
    assert ask("products", counted) == ask("products", moved)


def test_all_indexes_are_back_and_ids_go_on(ask):
    """What is taken away for speed is there again afterwards."""
    (indexes,) = ask("products", "SELECT count(*) FROM pg_indexes WHERE tablename = 'products'")[0]
    assert indexes == 12
    (last,) = ask("products", "SELECT last_value FROM products_id_seq")[0]
    assert last == PRODUCTS


def test_what_people_look_for_is_there(ask):
    """Each search finds something, and none of them most of the catalog."""
    for words in goods.SEARCHES:
        query = " & ".join(words.split())
        found = ask(
            "products",
            f"SELECT count(*) FROM products WHERE document @@ to_tsquery('english', '{query}')",
        )[0][0]
        assert found <= PRODUCTS / 5


def test_one_buyer_has_many_orders(ask):
    """Every tenth order, each with three lines."""
    mine = f"SELECT count(*) FROM orders WHERE user_id = '{goods.FAITHFUL_BUYER}'"
    assert ask("orders", mine) == [(ORDERS // 10,)]
    assert ask("orders", "SELECT DISTINCT count(*) FROM order_lines GROUP BY order_id") == [(3,)]
