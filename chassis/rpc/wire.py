"""Nameko's RPC messages as bytes."""

import json
import re
import uuid
from typing import Any

import orjson
from nameko.exceptions import BadRequest, MalformedRequest
from nameko.exceptions import serialize as serialize_stock

from chassis.broker.message import CONTENT
from chassis.broker.topology import is_stock_address
from chassis.errors import Fault, Internal, to_wire

#: Nameko's own callers encode with kombu, which tags what JSON has not ("__type__", "__value__").
#: Ours send it as text, which schemas read, so it becomes that. What looks like it from callers of
#: ours is what a user has written, and stays as it is.
_TAG = b'"__type__"'
_TAGGED = ("decimal", "uuid", "datetime", "date", "time")

_SNAKE = re.compile(r"(?<!^)(?=[A-Z])")


def loads_request(message: Any) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments of a request; raises `MalformedRequest`."""
    if message.properties.get("content_type") != CONTENT["content_type"]:
        raise MalformedRequest("Only application/json is taken")
    try:
        body = orjson.loads(message.body)
        if _TAG in message.body and is_stock_address(message.properties["reply_to"]):
            body = json.loads(message.body, object_hook=_untagged)
        args, kwargs = body["args"], body["kwargs"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MalformedRequest("Message missing `args` or `kwargs`") from None
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise MalformedRequest("`args` is a list and `kwargs` an object")
    return args, kwargs


def _untagged(found: dict[str, Any]) -> Any:
    """Values that JSON has not, as text; a UUID is `{"hex": ...}` within its tag."""
    if found.keys() != {"__type__", "__value__"} or found["__type__"] not in _TAGGED:
        return found
    value = found["__value__"]
    return str(uuid.UUID(**value)) if isinstance(value, dict) else value


def error_of(exc: BaseException, service: str, call_id: str) -> dict[str, Any]:
    """An exception, as its caller gets it.

    Nameko's own complaints (no such method, wrong arguments) keep their type, so that a stock
    caller gets them back as such; they are mistakes in the calling code. Anything else
    becomes `internal`, with the place to look at instead of its text, which may hold anything.
    """
    if isinstance(exc, Fault):
        return to_wire(exc)
    stock = serialize_stock(exc)
    if isinstance(exc, BadRequest):
        code = _SNAKE.sub("_", type(exc).__name__).lower()
        return stock | {"status": 500, "code": code, "detail": stock["value"], "data": {}}
    fault = Internal(f"Internal error in {service}; its log has the call {call_id}")
    return to_wire(fault) | {"exc_type": type(exc).__name__, "exc_path": stock["exc_path"]}
