"""What all messages have in common: JSON bodies, and Nameko's context data as headers."""

from typing import Any

import orjson
from nameko.constants import CALL_ID_STACK_CONTEXT_KEY

from chassis import serialization

#: Delivery modes (AMQP 0-9-1). Requests, replies and broadcasts live in memory only: callers have
#: deadlines, and broadcasts are hints. Events and dead letters are written to disk.
TRANSIENT, PERSISTENT = 1, 2

CONTENT = {"content_type": "application/json", "content_encoding": "utf-8"}

_PREFIX = "nameko."


def dumps(value: Any) -> bytes:
    """The body of a message; see `chassis.serialization`."""
    return serialization.dumps(value, orjson.OPT_NON_STR_KEYS)


def headers_of(data: dict[str, Any]) -> dict[str, Any]:
    """A worker's context data as message headers."""
    return {_PREFIX + key: value for key, value in data.items()}


def data_of(headers: dict[str, Any] | None) -> dict[str, Any]:
    """Message headers as context data; what is not of the form that Nameko sends is left out."""
    data = {
        key.removeprefix(_PREFIX): value
        for key, value in (headers or {}).items()
        if isinstance(key, str)  # bytes, when it is no UTF-8
    }
    stack = data.get(CALL_ID_STACK_CONTEXT_KEY, [])
    if not isinstance(stack, list) or not all(isinstance(call, str) for call in stack):
        del data[CALL_ID_STACK_CONTEXT_KEY]
    return data
