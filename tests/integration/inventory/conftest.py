"""Fixtures for the tests of `inventory`."""

import datetime
import uuid

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from products.service import InventoryService, ProductsService
from tests.integration.inventory import books


@pytest.fixture
def service(start, clock):
    """The running inventory's container, on a clock that tests can put forward."""
    _, inventory = start(ProductsService, InventoryService)
    return inventory


@pytest.fixture
def inventory(service, call):
    """`inventory.reserve(...)`: RPC to the running service."""
    return call.inventory


@pytest.fixture
def product(service, call):
    """`product(stock=5)`: the id of a new product."""
    return lambda stock=5: call.products.create(name="Kettle", price="9.90", stock=stock)["id"]


@pytest.fixture
def reserve(inventory, clock):
    """`reserve((variant_id, quantity), ..., order_id=None, minutes=30)`: the answer."""

    def hold(*lines, order_id=None, minutes=30):
        return inventory.reserve(
            order_id=order_id or str(uuid.uuid4()),
            lines=[{"variant_id": variant_id, "quantity": n} for variant_id, n in lines],
            expires_at=(clock() + datetime.timedelta(minutes=minutes)).isoformat(),
        )

    return hold


@pytest.fixture
def level(inventory):
    """`level(variant_id)`: (on_hand, reserved)."""

    def look(variant_id):
        found = inventory.get(variant_id=variant_id)
        assert found["available"] == found["on_hand"] - found["reserved"]
        return found["on_hand"], found["reserved"]

    return look


@pytest.fixture
def engine(service, config):
    """An engine on the products database, beside the service."""
    engine = sa.create_engine(configuration.database_url(config, "products"), pool_size=50)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def conserved(engine):
    """After every test, the ledger and the reservations account for the counters."""
    yield
    assert books.discrepancies(engine) == []
