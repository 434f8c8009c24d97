"""The forms that values have on the wire, and how an answer is held against its form.

A shape is a predicate, `[shape]` for a list of any length, `{"name": shape}` for an object with
exactly these fields, or None for null.
"""

import datetime
import re
import uuid as uuids
from collections.abc import Callable, Iterator
from typing import Any

from marshmallow import Schema, fields

from chassis.fields import Answer, Id, Money, Timestamp, Uuid

Shape = Any


def text(value: Any) -> bool:
    return isinstance(value, str)


def code(value: Any) -> bool:
    """A word of ours, in snake_case: nothing that a person has typed."""
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", value))


def boolean(value: Any) -> bool:
    return isinstance(value, bool)


def number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def count(value: Any) -> bool:
    return number(value) and value >= 0


def number_id(value: Any) -> bool:
    """Of products and categories."""
    return number(value) and 0 < value < 2**63


def uuid(value: Any) -> bool:
    """Of everything else; in one form, for ids are compared as text."""
    try:
        return str(uuids.UUID(value)) == value
    except (ValueError, TypeError, AttributeError):
        return False


def money(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"(0|[1-9][0-9]*)\.[0-9]{2}", value))


def currency(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Z]{3}", value))


def country(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Z]{2}", value))


def percent(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", value))


def moment(value: Any) -> bool:
    """RFC 3339, in UTC."""
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)"
    if not isinstance(value, str) or not re.fullmatch(form, value):
        return False
    return datetime.datetime.fromisoformat(value).tzinfo is not None


def facts(value: Any) -> bool:
    """An object with fields of the writer's own."""
    return isinstance(value, dict)


def location(value: Any) -> bool:
    """The code of a place where stock lies."""
    return isinstance(value, str) and re.fullmatch(r"[A-Z0-9][A-Z0-9_-]*", value) is not None


def harmless_facts(value: Any) -> bool:
    """An object of codes, numbers, amounts and ids, or lists of codes."""
    kinds = (code, number, money, currency, uuid, country, percent, location)

    def is_harmless(part: Any) -> bool:
        return all(map(code, part)) if isinstance(part, list) else any(is_(part) for is_ in kinds)

    return facts(value) and all(code(k) and is_harmless(part) for k, part in value.items())


def network(value: Any) -> bool:
    """Of an address, all but its last part."""
    return isinstance(value, str) and value.endswith(("/24", "/48"))


def nullable(shape: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        return value is None or shape(value)

    check.__name__ = f"{shape.__name__} or null"
    return check


def one_of(*words: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        return value in words

    check.__name__ = " or ".join(words)
    return check


def problems(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """What is wrong with `value`, each with its place."""
    if isinstance(shape, dict) and isinstance(value, dict):
        yield from (f"{where} lacks {name}" for name in shape.keys() - value.keys())
        yield from (f"{where} has also {name}" for name in value.keys() - shape.keys())
        for name in shape.keys() & value.keys():
            yield from problems(shape[name], value[name], f"{where}.{name}")
    elif isinstance(shape, list) and isinstance(value, list):
        for position, item in enumerate(value):
            yield from problems(shape[0], item, f"{where}[{position}]")
    elif isinstance(shape, dict | list):
        yield f"{where} is {value!r}"
    elif shape is None:
        if value is not None:
            yield f"{where} is {value!r}, not null"
    elif not shape(value):
        yield f"{where} is {value!r}, no {shape.__name__}"


#: The one form in which a value of each kind is to be sent, although more are understood.
_SENT_AS = ((Uuid, uuid), (Money, money), (Timestamp, moment), (Id, number_id))


def problems_of_answer(schema: Schema, answer: Any, where: str) -> Iterator[str]:
    """What the contract does not have, lacks, or has in another form."""
    fields_by_name = {field.data_key or name: field for name, field in schema.fields.items()}
    yield from (f"{where} has also {name}" for name in answer.keys() - fields_by_name.keys())
    yield from (f"{where} lacks {name}" for name in fields_by_name.keys() - answer.keys())
    for name, texts in schema.validate(answer).items():
        yield f"{where}.{name}: {texts}"
    for name in fields_by_name.keys() & answer.keys():
        yield from _problems_of_field(fields_by_name[name], answer[name], f"{where}.{name}")


def problems_of_request(schema: Schema, sent: dict[str, Any], where: str) -> Iterator[str]:
    """Arguments that are understood, but not sent in the form that the contract states."""
    for name, value in sent.items():
        yield from _problems_of_field(schema.fields[name], value, f"{where}({name})")


def _problems_of_field(field: fields.Field, value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(field, fields.Nested):
        is_answer = isinstance(field.schema, Answer)
        check = problems_of_answer if is_answer else problems_of_request
        yield from check(field.schema, value, where)
    elif isinstance(field, fields.List):
        for item in value:
            yield from _problems_of_field(field.inner, item, where)
    else:
        for kind, shape in _SENT_AS:
            if isinstance(field, kind):
                yield from problems(shape, value, where)
