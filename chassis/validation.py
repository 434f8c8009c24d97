"""Loading what others send, with answers that stay small whatever was sent; and sending all that a
schema says."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from marshmallow import Schema, ValidationError

from chassis.errors import Invalid

#: So many faults are named. Who sends more knows by these what to look at.
MAX_FAULTS = 20
#: Characters of a name that is repeated: the name of an unknown field comes from the client.
MAX_NAME = 64


def load(schema: Schema, data: Any) -> dict[str, Any]:
    """What `schema` makes of `data`; raises `Invalid` that names up to `MAX_FAULTS` faults."""
    try:
        return schema.load(data)
    except ValidationError as invalid:
        raise refusal(invalid.normalized_messages()) from None


def dump(schema: Schema, value: Any) -> dict[str, Any]:
    """What `schema` makes of `value`; raises KeyError for a field that is not there, which
    marshmallow would leave out."""
    dumped: dict[str, Any] = schema.dump(value)
    names = {field.data_key or name for name, field in schema.fields.items()}
    if missing := names - dumped.keys():
        raise KeyError(f"{type(schema).__name__} without {', '.join(sorted(missing))}")
    return dumped


def refusal(messages: Mapping[str, Any]) -> Invalid:
    """The error that names the first of marshmallow's nested messages, with short names."""
    found = list(islice(_leaves(messages, ()), MAX_FAULTS + 1))
    errors: dict[str, Any] = {}
    for path, texts in found[:MAX_FAULTS]:
        inner = errors
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = texts
    if len(found) > MAX_FAULTS:
        return Invalid(
            f"Some fields are not valid; the first {MAX_FAULTS} are named", errors=errors
        )
    return Invalid(errors=errors)


def short_name(name: Any) -> str:
    """A name as it may be repeated to its sender."""
    text = str(name)
    return text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}…"


def _leaves(messages: Any, path: tuple[Any, ...]) -> Any:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _leaves(inner, (*path, name if isinstance(name, int) else short_name(name)))
    else:
        texts = messages if isinstance(messages, list) else [messages]
        yield path, [str(text) for text in texts[:MAX_FAULTS]]
