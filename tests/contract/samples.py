"""Payloads made from the schema that a publisher dumps them by."""

import datetime
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields, validate

from chassis.fields import Currency, Money, Quantity, Timestamp, Uuid

#: Values of each kind of field, the bounds among them; a subclass stands before its base.
_VALUES = (
    (Uuid, [uuid.UUID("1b4e28ba-2fa1-41d2-883f-0016d3cca427")]),
    (Money, [Decimal("0.01"), Decimal("99999999.99")]),
    (Timestamp, [datetime.datetime(2026, 2, 28, 23, 59, 59, 999999, datetime.UTC)]),
    (Currency, ["EUR", "JPY"]),
    (fields.Boolean, [True, False]),
    (Quantity, [1, 1000]),
    (fields.Integer, [1, 2**31 - 1]),
    (fields.Dict, [{"fields": ["price"], "old_price": "1.00", "delta": -2}, {}]),
    (fields.String, ["some_word"]),
)


def payloads(schema: Schema) -> Iterator[dict[str, Any]]:
    """Facts for `schema` to dump; each value of each field is in one of them at least."""
    values = {name: _values(field) for name, field in schema.fields.items()}
    for turn in range(max(len(some) for some in values.values())):
        yield {name: some[turn % len(some)] for name, some in values.items()}


def _values(field: fields.Field) -> list[Any]:
    choices = [one for one in field.validators if isinstance(one, validate.OneOf)]
    if choices:
        values = list(choices[0].choices)
    elif isinstance(field, fields.Nested):
        values = list(payloads(field.schema))
    elif isinstance(field, fields.List):
        values = [[], _values(field.inner)]
    else:
        values = next(values for kind, values in _VALUES if isinstance(field, kind))
    return [*values, None] if field.allow_none else values
