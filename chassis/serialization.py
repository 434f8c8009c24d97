"""JSON as we write it."""

import decimal
from typing import Any

import orjson

from chassis.identity import Actor


def dumps(value: Any, option: int = 0) -> bytes:
    """`value` as JSON. UUIDs and moments are strings (orjson's own), and so is Decimal, which a
    JSON number would round; an actor is as `chassis.identity` says. `option` is orjson's; raises
    TypeError for what is not JSON."""
    return orjson.dumps(value, default=_as_json, option=option | orjson.OPT_PASSTHROUGH_DATACLASS)


def _as_json(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, Actor):
        return value.to_wire()
    raise TypeError(f"{type(value).__name__} is not JSON")
