"""The search index keeps up with whoever writes products."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from chassis import config as configuration
from products import jobs
from shop.migrate import migrate
from shop.packages import ROOT
from tests.support import eventually

#: What a process of the release before writes: it knows nothing of `indexed_version`.
_INSERT = sa.text("""
    WITH made AS (
        INSERT INTO products (sku, name, description, price, currency, images, attributes, version,
            created_at, updated_at)
        VALUES (:sku, :name, '', 1, 'EUR', '[]', '{}', 1, now(), now()) RETURNING id
    ), sold AS (
        INSERT INTO variants (id, product_id) SELECT id, id FROM made
    )
    INSERT INTO stock (variant_id, on_hand, reserved, version) SELECT id, 1, 0, 1 FROM made
""")
#: The same before there were variants.
_INSERT_BEFORE = sa.text("""
    WITH made AS (
        INSERT INTO products (sku, name, description, price, currency, images, attributes, version,
            created_at, updated_at)
        VALUES (:sku, :name, '', 1, 'EUR', '[]', '{}', 1, now(), now()) RETURNING id
    )
    INSERT INTO stock (product_id, on_hand, reserved, version) SELECT id, 1, 0, 1 FROM made
""")
_RENAME = sa.text("UPDATE products SET name = :name, version = version + 1 WHERE sku = :sku")
_STALE = sa.text(
    "SELECT count(*) FROM products WHERE indexed_version <> version AND deleted_at IS NULL"
)


@pytest.fixture
def execute(engine):
    """`execute(statement, **values)`: beside the service, committed."""

    def run(statement, **values):
        with engine.begin() as connection:
            return connection.execute(statement, values)

    return run


def test_what_an_earlier_release_writes_is_found(names, execute, monkeypatch):
    """Beside this one, during an upgrade: new products and changed ones, within a few seconds."""
    execute(_INSERT, sku="OLD-1", name="Salt/Pepper mill")
    assert eventually(lambda: names(search="pepper") == ["Salt/Pepper mill"], timeout=15)
    execute(_RENAME, sku="OLD-1", name="Žižek print")
    assert eventually(lambda: names(search="zizek") == ["Žižek print"], timeout=15)
    assert names(search="zizec") == ["Žižek print"]
    assert names(search="pepper") == []


def test_nothing_is_left_behind_by_this_one(products, shelf, execute):
    """What the service writes is indexed with it; what concerns no search leaves it so."""
    kettle = shelf("Kettle")["id"]
    assert execute(_STALE).scalar() == 0
    products.update(product_id=kettle, price="12.00")
    products.update(product_id=kettle, name="Teapot", description="Blue")
    products.update(product_id=kettle, images=[])
    assert execute(_STALE).scalar() == 0
    products.delete(product_id=kettle)
    assert execute(_STALE).scalar() == 0


def test_a_change_of_one_field_keeps_what_the_others_are_found_by(products, shelf, names):
    """The terms of a product are of all its fields."""
    lamp = shelf("Lamp", description="Brass", attributes={"colour": "red"}, sku="LMP-1")["id"]
    products.update(product_id=lamp, name="Torch")
    for search in ("brass", "red", "lmp1", "torch"):
        assert names(search=search) == ["Torch"], search
    products.update(product_id=lamp, attributes={})
    assert names(search="red") == []


def test_the_timer_takes_all_there_is_by_batches(execute, names, monkeypatch):
    """More than one transaction may hold, in one run."""
    monkeypatch.setattr(jobs, "INDEX_BATCH", 3)
    for number in range(10):
        execute(_INSERT, sku=f"OLD-{number}", name=f"Lamp {number}")
    assert eventually(lambda: len(names(search="lamps")) == 10, timeout=15)


def test_a_filled_database_is_upgraded_and_back(databases):
    """What was there before is found by the old terms at once, and a downgrade has them again."""
    url = configuration.database_url({"DATABASE_URL": databases + "up"}, "products")
    migrate({"DATABASE_URL": databases + "up"}, ["products"])
    alembic = Config()
    alembic.set_main_option("script_location", str(ROOT / "products" / "migrations"))
    alembic.attributes["url"] = url
    engine = sa.create_engine(url)
    found = sa.text("SELECT name FROM products WHERE document @@ to_tsquery('english', 'lamps')")
    try:
        command.downgrade(alembic, "0004")
        with engine.begin() as connection:
            connection.execute(_INSERT_BEFORE, {"sku": "OLD-1", "name": "Desk Lamp"})
        command.upgrade(alembic, "head")
        with engine.begin() as connection:
            assert connection.scalars(found).all() == ["Desk Lamp"]
            assert connection.scalar(_STALE) == 1
        command.downgrade(alembic, "0004")
        with engine.begin() as connection:
            connection.execute(_INSERT_BEFORE, {"sku": "OLD-2", "name": "Floor Lamp"})
            assert connection.scalars(found).all() == ["Desk Lamp", "Floor Lamp"]
            words = connection.scalars(sa.text("SELECT word FROM search_words ORDER BY 1")).all()
            assert words == ["desk", "floor", "lamp"]
    finally:
        engine.dispose()
        server = sa.create_engine(
            sa.make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT"
        )
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {sa.make_url(url).database}"))
        server.dispose()
