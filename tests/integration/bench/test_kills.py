"""The table of kills counts what is wrong, and only that."""

import uuid

import psycopg2
import pytest
import sqlalchemy as sa

from bench.kills import books
from bench.kills.books import Wrong
from tests.conftest import empty

_PRODUCT = """
    WITH made AS (
        INSERT INTO products (sku, name, description, price, currency, images, attributes, version,
            created_at, updated_at)
        VALUES ('T', 'Thing', '', 1, 'EUR', '[]', '{}', 1, now(), now()) RETURNING id
    )
    INSERT INTO variants (id, product_id) SELECT id, id FROM made RETURNING id
"""
_ORDER = """
    INSERT INTO orders (id, user_id, status, payment_status, subtotal, net, total,
        prices_include_tax, currency, shipping_address, fingerprint, created_at, updated_at,
        expires_at, version)
    VALUES (%s, gen_random_uuid(), 'pending', 'unpaid', 1, 1, 1, true, 'EUR',
        jsonb_build_object('line1', %s), '', now(), now(), now(), 1)
"""
_LINE = """
    INSERT INTO order_lines (order_id, line, variant_id, product_id, name, quantity, unit_price,
        net, total)
    SELECT %s, 1, variant, variant, 'Thing', quantity, 1, quantity, quantity
    FROM (SELECT %s, %s) AS one (variant, quantity)
"""
_HOLD = "INSERT INTO reservations VALUES (%s, 'reserved', now(), now(), now())"


class Books:
    """A contender's databases, written by hand; `rows` as a rig has it."""

    def __init__(self, url):
        self.prefix = sa.make_url(url).database
        self._url = sa.make_url(url).set(drivername="postgresql")
        self.product = self.rows(f"{self.prefix}_products", _PRODUCT)[0][0]

    def rows(self, database, statement, *values):
        dsn = self._url.set(database=database).render_as_string(hide_password=False)
        connection = psycopg2.connect(dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def stock(self, on_hand, reserved):
        values = (self.product, on_hand, reserved)
        self.rows(f"{self.prefix}_products", "INSERT INTO stock VALUES (%s, %s, %s, 1)", *values)

    def order(self, intent, quantity=1):
        order = str(uuid.uuid4())
        self.rows(f"{self.prefix}_orders", _ORDER, order, intent)
        self.rows(f"{self.prefix}_orders", _LINE, order, self.product, quantity)
        return order

    def hold(self, order):
        self.rows(f"{self.prefix}_products", _HOLD, order)
        return order

    def wrong(self, placed):
        return books.compare(self, self.prefix, placed)


@pytest.fixture
def contender(databases):
    """With one product, and nothing in its books."""
    urls = [sa.make_url(databases) for _ in range(2)]
    urls = [
        url.set(database=f"{url.database}_{package}")
        for url, package in zip(urls, ("products", "orders"), strict=True)
    ]
    for url in urls:
        empty(url)
    yield Books(databases)
    for url in urls:
        empty(url)


def test_nothing_is_wrong_with_orders_that_hold_their_stock(contender):
    """Each intent has its order, each order its reservation."""
    contender.stock(on_hand=2, reserved=2)
    placed = {intent: contender.hold(contender.order(intent)) for intent in ("a", "b")}
    assert contender.wrong(placed) == Wrong(lost=0, duplicated=0, oversold=0, stuck=0)


def test_an_acknowledged_order_that_is_not_there_is_lost(contender):
    """The buyer was told its id."""
    contender.stock(on_hand=2, reserved=0)
    assert contender.wrong({"a": str(uuid.uuid4())}).lost == 1


def test_a_second_order_for_one_intent_is_a_duplicate(contender):
    """Whichever of them was acknowledged."""
    contender.stock(on_hand=2, reserved=2)
    first, _ = (contender.hold(contender.order("a")) for _ in range(2))
    assert contender.wrong({"a": first}) == Wrong(lost=0, duplicated=1, oversold=0, stuck=0)


def test_pieces_that_are_not_there_are_oversold(contender):
    """Whether or not they are counted as reserved."""
    contender.stock(on_hand=2, reserved=0)
    placed = {"a": contender.hold(contender.order("a", quantity=5))}
    assert contender.wrong(placed).oversold == 3


def test_what_holds_stock_for_nothing_or_holds_none_is_stuck(contender):
    """One order without a reservation, two reservations without an order."""
    contender.stock(on_hand=9, reserved=0)
    placed = {"a": contender.order("a")}
    for _ in range(2):
        contender.hold(str(uuid.uuid4()))
    assert contender.wrong(placed).stuck == 3
