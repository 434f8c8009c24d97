"""Keyset paging with opaque cursors.

A cursor is the sort key of the last row on a page: page 1,000 costs what page 1 costs, and rows
that come or go meanwhile neither repeat nor hide others.
"""

import base64
import binascii
import datetime
import decimal
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, Select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnExpressionArgument

from chassis.errors import Invalid

#: Longest cursor that is looked at.
MAX_LENGTH = 1024

_PARSERS: dict[type, Callable[[Any], Any]] = {
    datetime.datetime: lambda v: _aware(datetime.datetime.fromisoformat(v)),
    decimal.Decimal: lambda v: _finite(decimal.Decimal(v)),
    uuid.UUID: uuid.UUID,
}


class Keyset:
    """A list that is read by pages. It is sorted by `columns`, which are unique together: the
    largest first, or the smallest where it is `ascending`."""

    def __init__(self, name: str, *columns: Any, ascending: bool = False):
        self._name = name
        self._columns = columns
        self._types = [column.type.python_type for column in columns]
        self._is_ascending = ascending

    def page(
        self, connection: Connection | Session, query: Select[Any], limit: int, cursor: str | None
    ) -> tuple[list[RowMapping], str | None]:
        """Up to `limit` rows of `query`, which has the columns, after `cursor` (None: from the
        beginning); and the cursor of the next page, None on the last one. Raises `Invalid` for a
        cursor of another list."""
        order = [each.asc() if self._is_ascending else each.desc() for each in self._columns]
        query = query.where(*self.after(cursor)).order_by(*order).limit(limit + 1)
        return self.cut(connection.execute(query).mappings().all(), limit)

    def after(self, cursor: str | None) -> list[ColumnExpressionArgument[bool]]:
        """What holds for the rows after `cursor`."""
        if cursor is None:
            return []
        place, last = tuple_(*self._columns), decode(self._name, cursor, self._types)
        return [place > last if self._is_ascending else place < last]

    def cut(self, rows: Sequence[RowMapping], limit: int) -> tuple[list[RowMapping], str | None]:
        """The page and the next one's cursor, given `limit + 1` rows if there are as many."""
        items = list(rows[:limit])
        if len(rows) <= limit:
            return items, None
        return items, encode(self._name, [items[-1][column.key] for column in self._columns])


def encode(of: str, values: Sequence[Any]) -> str:
    """A cursor of the list `of` that holds `values` (str, int, float, Decimal, UUID, aware
    datetime)."""
    raw = orjson.dumps([of, *values], default=str)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(of: str, cursor: str, types: Sequence[type]) -> tuple[Any, ...]:
    """The values in a cursor, each of its type; raises `Invalid` for one not of the list `of`."""
    try:
        if len(cursor) > MAX_LENGTH:
            raise ValueError("too long")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        kept_of, *values = orjson.loads(raw)
        if kept_of != of:
            raise ValueError("of another list")
        return tuple(_parse(value, wanted) for value, wanted in zip(values, types, strict=True))
    except (ValueError, TypeError, AttributeError, ArithmeticError, binascii.Error):
        raise Invalid(errors={"cursor": ["Not a cursor of this list."]}) from None


def _parse(value: Any, wanted: type[Any]) -> Any:
    if wanted in _PARSERS:
        return _PARSERS[wanted](value)
    if type(value) is not wanted or (wanted is str and "\0" in value):
        raise ValueError(f"not a {wanted.__name__}")
    if wanted is int and value >= 2**63:  # lower ones than a bigint orjson reads as floats
        raise ValueError("out of range")
    return value


def _aware(moment: datetime.datetime) -> datetime.datetime:
    if moment.tzinfo is None:
        raise ValueError("naive")
    return moment


def _finite(number: decimal.Decimal) -> decimal.Decimal:
    if not number.is_finite():
        raise ValueError("not finite")
    return number
