"""How what has failed is tried again."""

import datetime
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from chassis import outages

Taken = TypeVar("Taken")


def pause(tries: int, longest: datetime.timedelta) -> datetime.timedelta:
    """How long to wait after so many tries: 2 s, 4 s, 8 s … up to `longest`."""
    return min(datetime.timedelta(seconds=2 ** min(tries, 20)), longest)


def each(
    taken: Iterable[Taken], do: Callable[[Taken], object], log: Any, event: str, **about: str
) -> None:
    """Do it with each of the rows that a timer has taken, whose next time is set already: what
    fails with one is logged as `event`, comes up again, and does not touch the others."""
    for one in taken:
        try:
            do(one)
        except Exception as error:
            if not outages.is_logged(error):
                log.warning(event, **about, error=type(error).__name__)
