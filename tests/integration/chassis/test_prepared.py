"""Prepared statements: the same answers, planned once for each connection."""

import collections
import datetime
import decimal
import uuid

import eventlet
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis import prepared
from chassis.database import statement_by_statement

THINGS = sa.table(
    "things",
    sa.column("id", sa.BigInteger),
    sa.column("name", sa.Text),
    sa.column("price", sa.Numeric(10, 2)),
    sa.column("owner", sa.UUID),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("data", JSONB),
)
ROW = {
    "id": 2**40,
    "name": "50 % off: it's $1 \\ :x",
    "price": decimal.Decimal("9.99"),
    "owner": uuid.UUID(int=7),
    "at": datetime.datetime(2026, 1, 2, 3, 4, 5, 678, datetime.UTC),
    "data": {"a": [1, None, "ü"]},
}
BY_IDS = (
    sa.select(THINGS)
    .where(THINGS.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.BigInteger))))
    .where(THINGS.c.name.like("%off%"))
    .execution_options(prepared=True)
)


@pytest.fixture
def engine(servers):
    server = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    engine = sa.create_engine(server, pool_size=1, max_overflow=0)
    prepared.enable(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine):
    with engine.connect() as connection:
        connection.execute(
            sa.text(
                "CREATE TEMP TABLE things (id bigint PRIMARY KEY, name text, price numeric(10, 2),"
                " owner uuid, at timestamptz, data jsonb)"
            )
        )
        yield connection


def plans(connection):
    return connection.execute(sa.text("SELECT count(*) FROM pg_prepared_statements")).scalar_one()


def test_a_prepared_statement_answers_as_any_other(connection):
    """Every type comes back as it went; text with signs of all sorts, nulls and lists too."""
    insert = prepared.prepared_insert(THINGS)
    assert connection.execute(insert, ROW).rowcount == 1
    assert connection.execute(insert, dict.fromkeys(ROW) | {"id": 1, "name": "off"}).rowcount == 1
    found = connection.execute(BY_IDS, {"ids": [2**40, 5]}).mappings().one()
    assert dict(found) == ROW
    assert connection.execute(BY_IDS, {"ids": []}).all() == []
    assert len(connection.execute(BY_IDS, {"ids": [1, 2**40]}).all()) == 2


def test_rows_given_as_json_are_what_they_were(connection):
    """Money too, which a JSON number would round; what has no exact JSON is refused."""
    insert = prepared.prepared_insert_many(THINGS)
    dear = ROW | {"id": 3, "price": decimal.Decimal("99999999.99")}
    connection.execute(insert, prepared.rows_of([ROW, dear]))
    found = connection.execute(BY_IDS, {"ids": [2**40, 3]}).mappings()
    assert sorted(map(dict, found), key=lambda row: row["id"]) == [dear, ROW]
    with pytest.raises(TypeError):
        prepared.rows_of([ROW | {"name": object()}])


def test_it_is_planned_once(connection):
    """However often it runs; without the option nothing is prepared."""
    for _ in range(5):
        connection.execute(BY_IDS, {"ids": [1]})
        connection.execute(sa.select(THINGS).where(THINGS.c.id == 1))
    assert plans(connection) == 1


def test_a_plan_outlives_a_rollback(connection):
    """As the server has it: what we remember of a connection must not be less than it knows."""
    connection.commit()
    connection.execute(BY_IDS, {"ids": [1]})
    connection.rollback()
    connection.execute(BY_IDS, {"ids": [1]})
    assert plans(connection) == 1


def test_a_new_connection_begins_anew(engine, connection):
    """What the old one had prepared is not there any more."""
    one = sa.select(sa.literal(1)).execution_options(prepared=True)
    assert connection.execute(one).scalar_one() == 1
    connection.invalidate()
    with engine.connect() as other:
        assert other.execute(one).scalar_one() == 1


def test_what_a_connection_prepares_is_bounded(connection, monkeypatch):
    """A statement that differs each time would fill the server's memory; the rest goes as text."""
    monkeypatch.setattr(prepared, "MOST", 3)
    for number in range(6):
        query = sa.select(sa.literal_column(str(number))).execution_options(prepared=True)
        assert connection.execute(query).scalar_one() == number
    assert plans(connection) == 3


def test_an_error_leaves_the_statement_usable(connection):
    """A value that does not fit fails its own run and no later one."""
    connection.commit()
    connection.execute(sa.text("CREATE TEMP TABLE IF NOT EXISTS few (id bigint CHECK (id < 10))"))
    connection.commit()
    few = prepared.prepared_insert(sa.table("few", sa.column("id", sa.BigInteger)))
    with pytest.raises(sa.exc.IntegrityError):
        connection.execute(few, {"id": 10})
    connection.rollback()
    assert connection.execute(few, {"id": 9}).rowcount == 1


@pytest.fixture
def seats(servers):
    """An engine of many connections, and the name of a table of theirs."""
    server = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    engine = sa.create_engine(server, pool_size=12, max_overflow=0)
    prepared.enable(engine)
    table = f"seats_{uuid.uuid4().hex}"
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE {table} (room text)"))
    yield engine, table
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE {table}"))
    engine.dispose()


def test_statements_with_one_lock_count_what_came_before(seats):
    """Of many at once as many are entered as may be, in two rooms that do not wait for each other;
    the lock needs no transaction around the statement, and goes well with one."""
    engine, table = seats
    take = prepared.prepared_text(
        f"INSERT INTO {table} SELECT :room WHERE"
        f" (SELECT count(*) FROM {table} WHERE room = :room) < 3 RETURNING room",
        lock="room",
    ).bindparams(sa.bindparam("room", type_=sa.Text))

    def enter(n):
        room = f"room {n % 2}"
        if n % 3 == 0:
            with engine.begin() as connection:
                return connection.scalar(take, {"room": room})
        with statement_by_statement(engine) as connection:
            return connection.scalar(take, {"room": room})

    entered = [thread.wait() for thread in [eventlet.spawn(enter, n) for n in range(60)]]
    assert collections.Counter(filter(None, entered)) == {"room 0": 3, "room 1": 3}
