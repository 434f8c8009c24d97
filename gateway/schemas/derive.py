"""What clients send, derived from what the services are asked.

A request of a service says in text or null what a client leaves out; a client leaves it out.
"""

import copy
from collections.abc import Collection
from typing import Any

from marshmallow import Schema, fields, missing

from chassis.fields import Boolean, BooleanText, Id, Integer, IntegerText
from gateway.schemas.common import NumberInText

#: Fields whose values are not text, and what reads them from text: the same but for that.
_IN_TEXT = {Boolean: BooleanText, Id: NumberInText, Integer: IntegerText}


def body(
    name: str,
    request: type[Schema],
    doc: str | None = None,
    *,
    without: Collection[str] = (),
    **changed: fields.Field[Any],
) -> type[Schema]:
    """The schema of a body, called `name` in the description: the fields and rules of `request`,
    but `without` what the gateway adds itself; those that are `changed` are another here."""
    schema: type[Schema] = type(
        name, (request,), {"__doc__": doc, "__module__": __name__, **changed}
    )
    declared = schema._declared_fields
    for unsent in without:
        del declared[unsent]
    for field_name, field in declared.items():
        if field_name not in changed:
            declared[field_name] = _as_clients_send(field)
    return schema


def query(
    name: str,
    request: type[Schema],
    doc: str | None = None,
    *,
    without: Collection[str] = (),
    **changed: fields.Field[Any],
) -> type[Schema]:
    """`body` for a query, where numbers and truth values are written as text."""
    schema = body(name, request, doc, without=without, **changed)
    declared = schema._declared_fields
    for field_name, field in declared.items():
        if field_name not in changed:
            declared[field_name] = _in_text(field)
    return schema


def _as_clients_send(field: fields.Field[Any]) -> fields.Field[Any]:
    if not (field.allow_none and field.load_default is None):
        return field
    optional = copy.copy(field)
    optional.allow_none, optional.load_default = False, missing
    return optional


def _in_text(field: fields.Field[Any]) -> fields.Field[Any]:
    """The same field, read from text; its bounds go with it."""
    if type(field) in _IN_TEXT:
        field = copy.copy(field)
        field.__class__ = _IN_TEXT[type(field)]
    return field
