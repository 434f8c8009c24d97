"""JSON as we write it."""

import decimal
from typing import Any

import orjson


def dumps(value: Any, option: int = 0) -> bytes:
    """`value` as JSON. UUIDs and moments are strings (orjson's own), and so is Decimal, which a
    JSON number would round. `option` is orjson's; raises TypeError for what is not JSON."""
    return orjson.dumps(value, default=_as_text, option=option)


def _as_text(value: Any) -> str:
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
