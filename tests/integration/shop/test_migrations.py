"""The databases that migrations make are the ones that the models describe."""

import importlib

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner

from chassis import config as configuration
from shop.cli import shop
from shop.migrate import migrate
from shop.packages import DATABASE_PACKAGES


@pytest.fixture(params=DATABASE_PACKAGES)
def package(request):
    return request.param


@pytest.fixture
def connection(databases, package):
    engine = sa.create_engine(configuration.database_url({"DATABASE_URL": databases}, package))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_models_and_migrations_agree(connection, package):
    """A column, index or constraint in one and not in the other is found."""
    importlib.import_module(f"{package}.service")  # and with it the tables of all its parts
    models = importlib.import_module(f"{package}.models")
    context = MigrationContext.configure(connection, opts={"compare_server_default": False})
    assert compare_metadata(context, models.Base.metadata) == []


def test_check_constraints_agree(connection, package):
    """Alembic does not compare check constraints, and they are what holds the numbers together."""
    importlib.import_module(f"{package}.service")  # and with it the tables of all its parts
    models = importlib.import_module(f"{package}.models")
    inspector = sa.inspect(connection)
    for table in models.Base.metadata.sorted_tables:
        described = {
            constraint.name
            for constraint in table.constraints
            if isinstance(constraint, sa.CheckConstraint) and constraint.name
        }
        there = {constraint["name"] for constraint in inspector.get_check_constraints(table.name)}
        assert described == there, table.name


def test_migrating_again_changes_nothing(databases):
    """`shop migrate` may run at every start."""
    migrate({"DATABASE_URL": databases})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "postgresql://x@127.0.0.1:1/shop", "the databases (DATABASE_URL): "),
        ("AMQP_URI", "amqp://guest:guest@127.0.0.1:1/", "RabbitMQ (AMQP_URI): "),
        ("AMQP_URI", "amqp://guest:wrong@{host}:{port}/", "RabbitMQ (AMQP_URI): "),
    ],
)
def test_a_server_that_is_away(monkeypatch, vhost, databases, name, value, said):
    """One line and status 2, and no password in it."""
    broker = sa.make_url(vhost.uri)
    monkeypatch.setenv("AMQP_URI", vhost.uri)
    monkeypatch.setenv("DATABASE_URL", databases)
    monkeypatch.setenv(name, value.format(host=broker.host, port=broker.port))
    done = CliRunner().invoke(shop, ["migrate"])
    assert done.exit_code == 2
    assert said in done.stderr.splitlines()[-1]
    assert "wrong" not in done.stderr
    assert not done.stderr.count("Traceback")
