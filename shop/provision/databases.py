"""A role and a database for each package, which no other package's role can enter.

Safe to run at any time and by several at once: what is there is kept, and a password that has
changed holds from then on.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa
from psycopg2.extensions import encrypt_password

#: Of PostgreSQL's advisory locks, in the database `postgres`: two who provision take turns.
_LOCK = 5_310_877_921

_ROLE = "SELECT 1 FROM pg_roles WHERE rolname = :name"
_DATABASE = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = :name"

#: What somebody else has made in the database becomes its owner's, as after a change from one role
#: for all.
_ADOPT = """
DO $$ DECLARE step text; BEGIN
    FOR step IN
        SELECT format('ALTER %s %s OWNER TO %I',
            CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
            oid::regclass, (SELECT pg_get_userbyid(datdba) FROM pg_database
                            WHERE datname = current_database()))
        FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
            AND relowner <> (SELECT datdba FROM pg_database WHERE datname = current_database())
            AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = c.oid AND deptype IN ('a', 'i'))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure,
                      (SELECT pg_get_userbyid(datdba) FROM pg_database
                       WHERE datname = current_database()))
        FROM pg_proc p
        WHERE pronamespace = 'public'::regnamespace
            AND proowner <> (SELECT datdba FROM pg_database WHERE datname = current_database())
            AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
    LOOP EXECUTE step; END LOOP;
END $$
"""


def provision(url: str, passwords: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Make what is missing for the packages in `passwords`; `say` gets a line for each.

    `url` is that of an administrator who may create roles and databases; its database's name is
    the prefix of those that are made. Raises SQLAlchemy's errors.
    """
    target = sa.make_url(url).set(drivername="postgresql+psycopg2")
    prefix = target.database or "shop"
    with _connected(target.set(database="postgres")) as server:
        server.execute(sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        for package, password in passwords.items():
            database = f"{prefix}_{package}"
            role = _role(server, package, password)
            made = _database(server, database, package)
            with _connected(target.set(database=database)) as inside:
                inside.execute(sa.text(_ADOPT))
            say(f"database {database}: {made}; role {package}: {role}, password set")


def _role(server: sa.Connection, name: str, password: str) -> str:
    """Have it there, with this password and no rights beyond its database."""
    quoted = _quoted(server, name)
    there = server.scalar(sa.text(_ROLE), {"name": name}) is not None
    if not there:
        server.execute(sa.text(f"CREATE ROLE {quoted}"))
        _join(server, quoted)
    # As a verifier, for the server may log statements.
    driver = server.connection.driver_connection
    verifier = encrypt_password(password, name, scope=driver, algorithm="scram-sha-256")
    rights = "LOGIN NOCREATEDB NOCREATEROLE INHERIT"
    server.exec_driver_sql(f"ALTER ROLE {quoted} {rights} PASSWORD %s", (verifier,))
    return "there" if there else "made"


def _join(server: sa.Connection, role: str) -> None:
    """An administrator who is no superuser gives databases away only to roles that it is in."""
    if not server.scalar(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        server.execute(sa.text(f"GRANT {role} TO CURRENT_USER"))


def _database(server: sa.Connection, name: str, owner: str) -> str:
    quoted, role = _quoted(server, name), _quoted(server, owner)
    before = server.scalar(sa.text(_DATABASE), {"name": name})
    if before is None:
        server.execute(sa.text(f"CREATE DATABASE {quoted} OWNER {role}"))
    elif before != owner:
        server.execute(sa.text(f"ALTER DATABASE {quoted} OWNER TO {role}"))
    server.execute(sa.text(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC"))
    return "made" if before is None else "there"


def _quoted(server: sa.Connection, name: str) -> str:
    return server.dialect.identifier_preparer.quote(name)


@contextmanager
def _connected(url: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
        hide_parameters=True,
        connect_args={"application_name": "shop provision", "connect_timeout": 5},
    )
    with engine.connect() as connection:
        yield connection
