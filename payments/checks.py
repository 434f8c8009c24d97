"""When a provider is asked again about what is not decided yet."""

import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

#: Longest pause between two questions about the same thing, in seconds.
MAX_PAUSE = 300


def due(
    id: InstrumentedAttribute[Any],
    is_open: ColumnElement[bool],
    at: InstrumentedAttribute[datetime.datetime],
    now: datetime.datetime,
    limit: int,
) -> CTE:
    """The `id`s of rows that are due and that no other instance holds, for the UPDATE that moves
    their next check on before anybody is asked."""
    wanted = select(id).where(is_open, at <= now).order_by(at).limit(limit)
    return wanted.with_for_update(skip_locked=True).cte("due")


def next_check(
    checks: ColumnElement[int], now: datetime.datetime
) -> ColumnElement[datetime.datetime]:
    """When something is checked again that has been checked so often: 2 s, 4 s, 8 s … after `now`.
    Until then nobody else takes it up."""
    seconds = func.least(func.power(2, func.least(checks, 20)), MAX_PAUSE)
    return now + seconds * datetime.timedelta(seconds=1)
