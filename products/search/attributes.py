"""What a search finds of the attributes of a product."""

import re
from typing import Any


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
