"""Migrations of installations that have data."""

import os
import uuid

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from orders import numbers
from shop.migrate import ROOT, create


@pytest.fixture
def migration(servers):
    """`migration("orders")`: a database of that package without tables; `.to("0003")` migrates it,
    `.run(statement, **values)` gives rows."""
    made = []

    class Migration:
        def __init__(self, package):
            server = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
            url = server.set(database=f"upgrade{os.getpid()}_{package}")
            create(url.render_as_string(hide_password=False))
            self.engine = sa.create_engine(url)
            self.config = Config()
            self.config.set_main_option("script_location", str(ROOT / package / "migrations"))
            self.config.attributes["url"] = url.render_as_string(hide_password=False)
            self.server, self.name = server, url.database
            made.append(self)

        def to(self, revision):
            command.upgrade(self.config, revision)

        def back_to(self, revision):
            command.downgrade(self.config, revision)

        def run(self, statement, **values):
            with self.engine.begin() as connection:
                result = connection.execute(sa.text(statement), values)
                return result.mappings().all() if result.returns_rows else []

    yield Migration
    for one in made:
        one.engine.dispose()
        admin = sa.create_engine(one.server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {one.name} WITH (FORCE)"))
        admin.dispose()


ORDER = """
    INSERT INTO orders (id, user_id, status, payment_status, total, currency, shipping_address,
        fingerprint, created_at, updated_at, expires_at, version)
    VALUES (:id, :id, 'pending', 'unpaid', 1, 'EUR', '{}', '', now(), now(), now(), 1)
"""
CHECKOUT = """
    INSERT INTO checkouts (order_id, user_id, fingerprint, basket, state, started_at, due_at)
    VALUES (:id, :id, '', '{}', 'open', now(), now())
"""


def test_orders_of_before_get_numbers(migration):
    """All of them, each its own, and checkouts under way too; a process of the version before,
    which knows of no numbers, may go on writing. The way back is there."""
    orders = migration("orders")
    orders.to("0003")
    for _ in range(50):
        orders.run(ORDER, id=uuid.uuid4())
    orders.run(CHECKOUT, id=uuid.uuid4())
    orders.to("head")
    orders.run(ORDER, id=uuid.uuid4())
    orders.run(CHECKOUT, id=uuid.uuid4())
    rows = orders.run("SELECT number FROM orders UNION ALL SELECT number FROM checkouts")
    made = [row["number"] for row in rows]
    assert len(set(made)) == len(made) == 53
    assert [numbers.parse(number) for number in made] == made
    orders.back_to("0003")
    orders.to("head")
