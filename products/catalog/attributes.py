"""What a product may say of itself beyond its own fields: a flat, bounded JSON object."""

import re
from typing import Any

from marshmallow import ValidationError, fields

from chassis.fields import SingleLine, Text

MAX_KEYS = 50
MAX_ITEMS = 20
#: Integers beyond this lose digits in most JSON readers.
MAX_NUMBER = 2**53

_KEY = SingleLine(max=50)
_TEXT = Text(max=500)


class Attributes(fields.Field):
    """`{"colour": "sand", "sizes": ["S", "M"], "weight_g": 420, "dishwasher_safe": true}`: text,
    numbers, truth values, and lists of those."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Not an object.")
        if len(value) > MAX_KEYS:
            raise ValidationError(f"At most {MAX_KEYS} attributes.")
        return {_KEY.deserialize(key): _value(of_key) for key, of_key in value.items()}


def texts(attributes: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What a search finds of attributes: the texts in them, which name a product as its name does,
    and its details: `dishwasher safe` where that is true, `diameter 26cm` for `diameter_cm`."""
    named: list[str] = []
    details: list[str] = []
    for key, value in attributes.items():
        *about, unit = re.split(r"[\s_]+", key.strip("_ ")) or [""]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                named.append(item)
            elif isinstance(item, bool):
                details += [" ".join([*about, unit])] * item
            elif isinstance(item, int | float):
                details.append(" ".join([*about, f"{item}{unit}"]))
    return named, details


def _value(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise ValidationError(f"At most {MAX_ITEMS} in a list.")
        return [_scalar(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _TEXT.deserialize(value)
    # NaN is not below anything.
    if isinstance(value, int | float) and abs(value) <= MAX_NUMBER:
        return value
    raise ValidationError("Text, a number, true or false, or a list of those.")
