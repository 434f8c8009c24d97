"""A small world without the shop: two services and a database of their own."""

import os
import urllib.parse

import pika
import pytest
import sqlalchemy as sa

from tests.integration.chassis.world import Base
from tests.proxy import Proxy


@pytest.fixture(scope="session")
def chassis_database(servers):
    """A database with the tables of the toy services; its `DATABASE_URL`."""
    server = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    prefix = f"test{os.getpid()}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {prefix}_chassis"))
    engine = sa.create_engine(server.set(database=f"{prefix}_chassis"))
    Base.metadata.create_all(engine)
    engine.dispose()
    yield server.set(database=prefix).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {prefix}_chassis WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def channel(config):
    """A channel to the broker of the test, for messages by hand: by another client than ours."""
    connection = pika.BlockingConnection(pika.URLParameters(config["AMQP_URI"] + "?heartbeat=0"))
    yield connection.channel()
    connection.close()


@pytest.fixture
def databases(chassis_database):
    """In place of the shop's databases, which these tests don't need."""
    return chassis_database


@pytest.fixture
def rows(start, chassis_database):
    """`rows("SELECT ...")` in the toy database."""
    url = sa.make_url(chassis_database)
    engine = sa.create_engine(
        url.set(database=f"{url.database}_chassis"), isolation_level="AUTOCOMMIT"
    )

    def query(statement, **parameters):
        with engine.connect() as connection:
            return connection.execute(sa.text(statement), parameters).all()

    yield query
    engine.dispose()


@pytest.fixture
def broker(config):
    """A proxy before the broker, which all services of the test use."""
    address = urllib.parse.urlsplit(config["AMQP_URI"])
    proxy = Proxy((address.hostname, address.port))
    userinfo = address.netloc.rpartition("@")[0]
    config["AMQP_URI"] = address._replace(netloc=f"{userinfo}@127.0.0.1:{proxy.port}").geturl()
    yield proxy
    proxy.close()


@pytest.fixture
def database(chassis_database):
    """A proxy before the database, which `start(..., **database.settings)` uses."""
    url = sa.make_url(chassis_database)
    proxy = Proxy((url.host, url.port))
    address = url.set(host="127.0.0.1", port=proxy.port).render_as_string(False)
    proxy.settings = {"DATABASE_URL": address}
    yield proxy
    proxy.close()


@pytest.fixture
def heard(rows):
    """What the listener has heard, as committed."""
    return lambda: [
        row.text.removeprefix("heard ")
        for row in rows("SELECT text FROM notes WHERE text LIKE 'heard %' ORDER BY id")
    ]
