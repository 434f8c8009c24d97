"""When a provider is asked again about what is not decided yet."""

import datetime

from sqlalchemy import ColumnElement, func

#: Longest pause between two questions about the same thing, in seconds.
MAX_PAUSE = 300


def next_check(
    checks: ColumnElement[int], now: datetime.datetime
) -> ColumnElement[datetime.datetime]:
    """When something is checked again that has been checked so often: 2 s, 4 s, 8 s … after `now`.
    Until then nobody else takes it up."""
    seconds = func.least(func.power(2, func.least(checks, 20)), MAX_PAUSE)
    return now + seconds * datetime.timedelta(seconds=1)
