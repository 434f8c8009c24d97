"""Statements that PostgreSQL parses and plans once for each connection.

Psycopg2 sends every statement as text. For the small ones that a shop is made of, reading and
planning that text costs the server several times what running it does. A statement with

    .execution_options(prepared=True)

becomes PREPARE at its first use on a connection, and EXECUTE from then on. It is meant for the few
that every request needs: the server keeps each of them for each connection.
"""

import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Dialect,
    Engine,
    TableClause,
    Text,
    TextClause,
    bindparam,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.types import NullType, TypeEngine

from chassis.serialization import dumps

_PARAMETER = re.compile(r"%\((\w+)\)s|%%")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%%(%(lock)s)s::text, 0)); "
#: Statements that one connection may have prepared; further ones are sent as text.
MOST = 100


def enable(engine: Engine) -> None:
    """Have `engine` obey the option."""
    event.listen(engine, "before_cursor_execute", _rewrite, retval=True)


def prepared_insert(into: TableClause, but: Container[str] = ()) -> Insert:
    """An INSERT of one row, prepared; its parameters have the names of the columns, of which those
    in `but` are left to their defaults."""
    names = [column.key for column in into.columns if column.key not in but]
    return (
        insert(into)
        .values({name: bindparam(name) for name in names})
        .execution_options(prepared=True)
    )


def insertion(into: TableClause, rows: str, but: Container[str] = ()) -> str:
    """The text of an INSERT of however many rows; the parameter named `rows` gives them `as_json`.

    A WHERE may follow. Columns in `but` are left to their defaults.
    """
    names = ", ".join(column.key for column in into.columns if column.key not in but)
    return (
        f"INSERT INTO {into.name} ({names}) SELECT {names}"  # noqa: S608  (names of ours)
        f" FROM jsonb_populate_recordset(NULL::{into.name}, CAST(:{rows} AS jsonb))"
    )


def prepared_insert_many(into: TableClause, but: Container[str] = ()) -> TextClause:
    """An INSERT of however many rows, prepared, that leaves out those that are there already; its
    parameters are `rows_of(rows)`. Columns in `but` are left to their defaults."""
    return prepared_text(f"{insertion(into, 'rows', but)} ON CONFLICT DO NOTHING", "rows")


def prepared_text(statement: str, *documents: str, lock: str | None = None) -> TextClause:
    """A statement written by hand, prepared; the parameters `documents` are JSON (`as_json`).

    Statements with the same value of the parameter `lock` take turns: an advisory lock comes first,
    and is held until the transaction ends. So what such a statement counts is not changed by
    another one before it commits. The lock travels in the same message, so it costs no round trip;
    being a statement of its own, what follows it reads what the one before has committed.
    """
    bound = (bindparam(name, type_=Text) for name in documents)
    options = {"prepared": True} if lock is None else {"prepared": True, "lock": lock}
    return text(statement).bindparams(*bound).execution_options(**options)


def rows_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Rows, each with a value for every column, as `prepared_insert_many` takes them."""
    return {"rows": as_json(rows)}


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows, each with a value for every column, as one parameter."""
    return dumps(rows).decode()


def _rewrite(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> tuple[str, Any]:
    if many or context is None or not context.execution_options.get("prepared"):
        return statement, parameters
    known = connection.connection.info.setdefault("prepared", {})
    call = known.get(statement)
    if call is None and len(known) < MOST:
        call = _prepare(cursor, f"p{len(known)}", statement, context.compiled)
        known[statement] = call
    lock = context.execution_options.get("lock")
    first = _LOCK % {"lock": lock} if lock else ""
    return first + (call or statement), parameters


def _prepare(cursor: Any, name: str, statement: str, compiled: Any) -> str:
    """Prepare `statement` as `name`; returns what runs it, with the same parameters."""
    places: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[1] is None:
            return "%"
        return f"${places.setdefault(match[1], len(places) + 1)}"

    numbered = _PARAMETER.sub(number, statement)
    if not places:
        cursor.execute(f"PREPARE {name} AS {numbered}")
        return f"EXECUTE {name}"
    types = ", ".join(_type_of(compiled.binds[place].type, compiled.dialect) for place in places)
    cursor.execute(f"PREPARE {name} ({types}) AS {numbered}")
    return f"EXECUTE {name} ({', '.join(f'%({place})s' for place in places)})"


def _type_of(bound: TypeEngine[Any], dialect: Dialect) -> str:
    """The name of a parameter's type; PostgreSQL finds out what we do not know."""
    return "unknown" if isinstance(bound, NullType) else bound.compile(dialect)
