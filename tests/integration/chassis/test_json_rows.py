"""Rows that travel as JSON documents."""

import datetime
import decimal
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis import json_rows

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


@pytest.fixture
def connection(servers):
    server = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    engine = sa.create_engine(server, poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(
            sa.text(
                "CREATE TEMP TABLE things (id bigint PRIMARY KEY, name text, price numeric(10, 2),"
                " owner uuid, at timestamptz, data jsonb DEFAULT '{}')"
            )
        )
        yield connection


def writing(but=()):
    """An INSERT that leaves out what is there already."""
    statement = f"{json_rows.insertion(THINGS, 'rows', but)} ON CONFLICT DO NOTHING"
    return json_rows.with_documents(statement, "rows")


def test_they_are_what_they_were(connection):
    """Money too, which a JSON number would round; text with signs of all sorts, nulls and lists."""
    dear = ROW | {"id": 3, "price": decimal.Decimal("99999999.99")}
    none = dict.fromkeys(ROW) | {"id": 4}
    connection.execute(writing(), json_rows.rows_of([ROW, dear, none]))
    found = connection.execute(sa.select(THINGS).order_by(THINGS.c.id)).mappings()
    assert [dict(row) for row in found] == [dear, none, ROW]


def test_what_is_there_stays(connection):
    """And what is not named gets its default."""
    write = writing(but={"data"})
    row = {name: value for name, value in ROW.items() if name != "data"}
    for name in ("first", "second"):
        connection.execute(write, json_rows.rows_of([row | {"name": name}]))
    (found,) = connection.execute(sa.select(THINGS)).mappings()
    assert (found["name"], found["data"]) == ("first", {})


def test_what_has_no_exact_json_is_refused():
    """Rather than written as something else."""
    with pytest.raises(TypeError):
        json_rows.rows_of([ROW | {"name": object()}])
