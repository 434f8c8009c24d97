"""Rows as one JSON document for each table: one statement, always of the same text, writes however
many."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy import TableClause, Text, TextClause, bindparam, text

from chassis.serialization import dumps


def insertion(into: TableClause, rows: str, but: Container[str] = (), **expressions: str) -> str:
    """The text of an INSERT of however many rows; the parameter named `rows` gives them `as_json`.

    A WHERE may follow. Columns in `but` are left to their defaults, `expressions` gives those that
    the database works out.
    """
    names = [column.key for column in into.columns if column.key not in but]
    values = ", ".join(expressions.get(name, name) for name in names)
    return (
        f"INSERT INTO {into.name} ({', '.join(names)}) SELECT {values}"  # noqa: S608  (names of ours)
        f" FROM jsonb_populate_recordset(NULL::{into.name}, CAST(:{rows} AS jsonb))"
    )


def with_documents(statement: str, *documents: str) -> TextClause:
    """A statement written by hand, of which the parameters `documents` are JSON (`as_json`)."""
    return text(statement).bindparams(*(bindparam(name, type_=Text) for name in documents))


def rows_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Rows, each with a value for every column, as the parameter `rows`."""
    return {"rows": as_json(rows)}


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows, each with a value for every column, as one parameter."""
    return dumps(rows).decode()
