"""Who the tests are about."""

import contextlib

import eventlet
import sqlalchemy as sa
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


def overlap(container, first, second):
    """What comes of `second(session)` in a transaction that begins while that of `first(session)`
    is not committed yet: its result, or the exception that it raised."""

    def run():
        try:
            with database(container) as connection:
                return second(Session(connection))
        except Exception as exc:
            return exc

    with database(container) as connection:
        first(Session(connection))
        rival = eventlet.spawn(run)
        eventually(lambda: rival.dead or is_waited_for(connection))
    return rival.wait()
