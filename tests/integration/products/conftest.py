"""Fixtures for the tests of `products`."""

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from products.service import ProductsService


@pytest.fixture
def service(start, clock):
    """The running service's container, on a clock that tests can put forward."""
    (container,) = start(ProductsService)
    return container


@pytest.fixture
def products(service, call):
    """`products.list(...)`: RPC to the running service."""
    return call.products


@pytest.fixture
def shelf(products):
    """`shelf("Kettle", price="24.90", stock=5, ...)`: a new product."""

    def create(name, **fields):
        return products.create(**{"name": name, "price": "10.00", "stock": 5} | fields)

    return create


@pytest.fixture
def category(products):
    """`category("Lamps", parent_id=...)`: the id of a new category."""
    return lambda name, **fields: products.create_category(name=name, **fields)["id"]


@pytest.fixture
def names(products):
    """`names(search="lamp")`: the names in a list, all its pages one after another."""

    def read(**query):
        found, cursor = [], None
        while True:
            page = products.list(**query, cursor=cursor)
            found += [item["name"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found

    return read


@pytest.fixture
def engine(service, config):
    """An engine on the products database, beside the service."""
    engine = sa.create_engine(configuration.database_url(config, "products"))
    yield engine
    engine.dispose()
