"""How times and counts are told in a terminal."""

import datetime
import re
from typing import Any

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Span(click.ParamType):
    """A length of time such as 90s, 15m, 2h or 3d."""

    name = "span"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime.timedelta:
        found = re.fullmatch(r"(\d{1,6})([smhd])", value, re.ASCII)
        if not found:
            self.fail(f"{value!r} is no length of time such as 90s, 15m, 2h or 3d.", param, ctx)
        return datetime.timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def span(seconds: float | None) -> str:
    """As an operator says it: "12 s", "3 min", "2 h", "4 d"; "-" for None."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def count(number: int, word: str) -> str:
    """ "1 letter", "2 letters"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def plain(text: str, most: int = 200) -> str:
    """What came from outside, without what would move a terminal's cursor."""
    cleaned = _CONTROL.sub("·", text)
    return cleaned if len(cleaned) <= most else cleaned[: most - 1] + "…"
