"""Transactions whose BEGIN comes with their first statement: they are transactions as ever."""

import psycopg2
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.database import statement_by_statement, transaction
from chassis.driver import FACTORIES
from tests.cost.meter import Meter

WRITE = sa.text("INSERT INTO notes (text) VALUES (:text)")
WRONG = sa.text("INSERT INTO notes (text) VALUES (NULL)")


@pytest.fixture
def meter(rows, chassis_database, servers, new_vhost):
    """What goes over the wire, on the way to the toy database."""
    url = sa.make_url(chassis_database)
    with new_vhost("driver") as vhost:
        meter = Meter((url.host, url.port), vhost.uri, servers.amqp_api)
        yield meter
        meter.close()


@pytest.fixture
def engine(meter, chassis_database):
    url = sa.make_url(chassis_database)
    here = url.set(database=f"{url.database}_chassis", host="127.0.0.1", port=meter.port)
    engine = sa.create_engine(here, connect_args=FACTORIES)
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM notes"))
    meter.take()
    yield engine
    engine.dispose()


@pytest.fixture
def noted(rows):
    return lambda: [row.text for row in rows("SELECT text FROM notes ORDER BY id")]


def fail(engine, *steps):
    """A transaction of these steps, each a statement and its parameters, that ends in a KeyError of
    ours unless the server has refused one."""
    with engine.begin() as connection:
        for step in steps:
            connection.execute(*step)
        raise KeyError


def asked(meter):
    """Each message, with whether a transaction is open after it."""
    return [(one.sql.partition(" INTO")[0], not one.ends) for one in meter.take()[0]]


def test_begin_comes_with_the_first_statement(engine, meter, noted):
    """A transaction of two statements is three messages."""
    with engine.begin() as connection:
        for text in "ab":
            connection.execute(WRITE, {"text": text})
        assert noted() == []
    assert noted() == ["a", "b"]
    assert asked(meter) == [("BEGIN;INSERT", True), ("INSERT", True), ("COMMIT", False)]


def test_an_empty_transaction_says_nothing(engine, meter):
    """Neither to commit nor to roll back."""
    with engine.begin():
        pass
    with engine.connect():
        pass
    assert asked(meter) == []


def test_an_error_rolls_all_back(engine, meter, noted):
    """Ours or the server's, also in the statement that begins; the next transaction is well."""
    with pytest.raises(KeyError):
        fail(engine, (WRITE, {"text": "a"}))
    with pytest.raises(sa.exc.IntegrityError):
        fail(engine, (WRITE, {"text": "b"}), (WRONG,))
    with pytest.raises(sa.exc.IntegrityError):
        fail(engine, (WRONG,))
    assert noted() == []
    begun = [("BEGIN;INSERT", True)]
    ended = [("ROLLBACK", False)]
    assert asked(meter) == [*begun, *ended, *begun, ("INSERT", True), *ended, *begun, *ended]
    with engine.begin() as connection:
        connection.execute(WRITE, {"text": "c"})
    assert noted() == ["c"]


def test_many_rows_are_one_transaction(engine, noted):
    """Also where the library sends them by itself."""
    with pytest.raises(KeyError):
        fail(engine, (WRITE, [{"text": "a"}, {"text": "b"}]))
    assert noted() == []
    with engine.begin() as connection:
        connection.execute(WRITE, [{"text": "a"}, {"text": "b"}])
    assert noted() == ["a", "b"]


def test_savepoints_are_as_ever(engine, noted):
    """One may be the first that a transaction asks for."""
    with transaction(lambda: Session(engine)) as session:
        part = session.begin_nested()
        session.execute(WRITE, {"text": "taken back"})
        part.rollback()
        session.execute(WRITE, {"text": "kept"})
    assert noted() == ["kept"]


def test_statements_alone_have_no_transaction(engine, meter, noted):
    """Nor is one left open for who gets the connection next."""
    with statement_by_statement(engine) as connection:
        connection.execute(WRITE, {"text": "a"})
        assert noted() == ["a"]
    assert asked(meter) == [("INSERT", False)]
    with pytest.raises(KeyError):
        fail(engine, (WRITE, {"text": "b"}))
    assert noted() == ["a"]


def test_isolation_levels_are_refused(engine):
    """They would go past all this."""
    with pytest.raises(psycopg2.NotSupportedError), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
