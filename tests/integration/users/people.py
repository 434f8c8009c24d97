"""Who the tests are about."""

import contextlib
from types import SimpleNamespace

import eventlet
import sqlalchemy as sa
from nameko.containers import WorkerContext
from sqlalchemy.orm import Session

from chassis import config as configuration
from tests.support import eventually, is_waited_for

PASSWORD = "correct horse"
SIGN_UP = {"email": "anna@example.com", "username": "anna", "password": PASSWORD}
ADDRESS = {
    "name": "Anna Huber",
    "company": None,
    "phone": None,
    "line1": "Main St 1",
    "line2": None,
    "city": "Graz",
    "region": None,
    "postal_code": "8010",
    "country": "AT",
}
UNKNOWN = "11111111-2222-4333-8444-555555555555"


@contextlib.contextmanager
def database(container):
    """A connection to the database of a running service, to look behind its back."""
    engine = sa.create_engine(
        configuration.database_url(container.config, "users"), poolclass=sa.pool.NullPool
    )
    with engine.begin() as connection:
        yield connection


def rows(container, statement, **parameters):
    """What `statement` finds, as tuples."""
    with database(container) as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement), parameters)]


def context(container, connection):
    """The running service as a worker has it, but that all of its transactions are one, on
    `connection`, which goes on."""
    service = container.service_cls()
    worker_ctx = WorkerContext(container, service, SimpleNamespace(method_name="test"))
    for provider in container.dependencies:
        setattr(service, provider.attr_name, provider.get_dependency(worker_ctx))
    session = Session(connection)
    service.db = SimpleNamespace(
        begin=lambda: contextlib.nullcontext(session),
        autocommit=lambda: contextlib.nullcontext(connection),
    )
    return service


def overlap(container, first, second):
    """What comes of `second(context)` in a transaction that begins while that of `first(context)`
    is not committed yet: its result, or the exception that it raised."""

    def run():
        try:
            with database(container) as connection:
                return second(context(container, connection))
        except Exception as exc:
            return exc

    with database(container) as connection:
        first(context(container, connection))
        rival = eventlet.spawn(run)
        eventually(lambda: rival.dead or is_waited_for(connection))
    return rival.wait()
