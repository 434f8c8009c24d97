"""When a provider is asked again about what is not decided yet."""

import datetime
from typing import Protocol

from chassis.retries import pause

#: Longest pause between two questions about the same thing.
MAX_PAUSE = datetime.timedelta(minutes=5)


class Checked(Protocol):
    """A row of a payment or refund."""

    checks: int
    next_check_at: datetime.datetime


def postpone(row: Checked, now: datetime.datetime) -> None:
    """Set the next check, which is also the time for which nobody else takes this row up."""
    row.checks += 1
    row.next_check_at = now + pause(row.checks, MAX_PAUSE)
