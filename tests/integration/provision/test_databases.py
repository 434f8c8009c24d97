"""Each service's role can use its own database and enter no other's."""

import base64
import hashlib
import hmac
import os

import pytest
import sqlalchemy as sa

from shop.provision.databases import provision

PREFIX = f"provision{os.getpid()}"
ALICE, BOB = f"alice{os.getpid()}", f"bob{os.getpid()}"


@pytest.fixture
def server(servers):
    """Where databases can be made, as an administrator; what was made is gone afterwards."""
    url = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    admin = _engine(url)
    yield url.set(database=PREFIX)
    with admin.connect() as connection:
        for package in (ALICE, BOB):
            name = f"{PREFIX}_{package}"
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(sa.text(f"DROP ROLE IF EXISTS {ALICE}, {BOB}, {PREFIX}"))
    admin.dispose()


@pytest.fixture
def run(server):
    """`run(alice="...", bob="...")`: provision with these passwords; what it said."""

    def invoke(alice="one", bob="two", **address):
        said = []
        url = server.set(**address).render_as_string(hide_password=False)
        provision(url, {ALICE: alice, BOB: bob}, said.append)
        return said

    return invoke


@pytest.fixture
def asks(server):
    """`asks(role, whose, statement)` in the database of `whose`; the first column."""

    def ask(role, whose, statement):
        name = server.username if role is None else role
        password = server.password if role is None else {ALICE: "one", BOB: "two"}[role]
        database = f"{PREFIX}_{whose}" if whose else "postgres"
        engine = _engine(server.set(username=name, password=password, database=database))
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement))
            return [row[0] for row in result] if result.returns_rows else None

    return ask


def test_each_has_a_database_of_its_own(run, asks):
    """Its role may make tables there, as migrations do."""
    run()
    for role in (ALICE, BOB):
        asks(role, role, "CREATE TABLE things (id int)")
        assert asks(role, role, "SELECT tableowner FROM pg_tables WHERE tablename = 'things'") == [
            role
        ]


def test_nobody_enters_the_database_of_another(run, asks):
    run()
    for role, other in ((ALICE, BOB), (BOB, ALICE)):
        with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
            asks(role, other, "SELECT 1")


def test_roles_may_nothing_else(run, asks):
    """Neither make databases or roles, nor become another."""
    run()
    for statement in (f"CREATE DATABASE {PREFIX}_more", f"CREATE ROLE {PREFIX}", f"SET ROLE {BOB}"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            asks(ALICE, None, statement)


def test_a_second_time_changes_nothing(run, asks):
    """What is in the databases stays."""
    assert all(line.count("made") == 2 for line in run())
    asks(ALICE, ALICE, "CREATE TABLE things AS SELECT 7 AS id")
    assert all(line.count("there") == 2 for line in run())
    assert asks(ALICE, ALICE, "SELECT id FROM things") == [7]


def test_a_changed_password_holds(run, asks):
    """And the old one does not; neither is said."""
    said = run(alice="first-secret") + run(alice="second-secret")
    stored = asks(None, None, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ALICE}'")[0]
    assert _fits("second-secret", stored)
    assert not _fits("first-secret", stored)
    assert "secret" not in "".join(said)


def test_what_one_role_had_for_all_is_handed_over(run, asks):
    """A shop whose databases belonged to the administrator goes on with a role for each."""
    run()
    columns = "id serial PRIMARY KEY, other bigint GENERATED ALWAYS AS IDENTITY"
    asks(None, ALICE, f"CREATE TABLE old ({columns})")
    asks(None, ALICE, "CREATE VIEW seen AS SELECT id FROM old")
    asks(None, ALICE, "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    asks(None, ALICE, "CREATE SEQUENCE numbers")
    run()
    asks(ALICE, ALICE, "INSERT INTO old DEFAULT VALUES")
    asks(ALICE, ALICE, "ALTER TABLE old ADD COLUMN more int")
    for statement in ("DROP VIEW seen", "DROP FUNCTION one()", "DROP SEQUENCE numbers"):
        asks(ALICE, ALICE, statement)


def test_an_administrator_needs_no_more_than_to_make_roles_and_databases(run, asks):
    """As of a hosted PostgreSQL, where nobody is a superuser."""
    asks(None, None, f"CREATE ROLE {PREFIX} LOGIN CREATEROLE CREATEDB PASSWORD 'admin'")
    run(username=PREFIX, password="admin")
    run(username=PREFIX, password="admin")
    asks(ALICE, ALICE, "CREATE TABLE things (id int)")
    with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
        asks(BOB, ALICE, "SELECT 1")


def _engine(url):
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)


def _fits(password, verifier):
    """Whether PostgreSQL would let in who has this password (RFC 5803)."""
    _, iterations, keys = verifier.split("$")
    rounds, salt = iterations.split(":")
    stored_key = keys.split(":")[0]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    key = hmac.digest(salted, b"Client Key", "sha256")
    return base64.b64encode(hashlib.sha256(key).digest()).decode() == stored_key
