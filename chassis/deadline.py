"""Deadlines that travel with a call.

A caller sends the budget it has left (milliseconds, header `nameko.timeout_ms`), not a moment:
clocks of two machines differ, budgets do not (as gRPC does it). The callee counts from the moment
it received the message, and what it calls in turn gets what is left. Messages expire in their
queue by the same budget, so a late request is never run.
"""

import time
from collections.abc import Mapping
from typing import Any

from chassis.errors import DeadlineExceeded

#: Header with the budget in milliseconds; Nameko prefixes context data with `nameko.`.
HEADER = "timeout_ms"

#: Key of the moment (of `time.monotonic`) in a worker's context data.
_KEY = "deadline"


def begin(data: dict[str, Any], seconds: float) -> None:
    """Give the worker whose context data is `data` `seconds` from now."""
    data[_KEY] = time.monotonic() + seconds


def begin_from_header(data: dict[str, Any]) -> None:
    """Take the budget that the caller sent, when it sent a sensible one."""
    data.pop(_KEY, None)  # a caller's own clock says nothing here
    budget = data.pop(HEADER, None)
    if isinstance(budget, int) and budget > 0:
        begin(data, budget / 1000)


#: The part of what is left that a piece of work may use. The rest is for the answer: who waits
#: for us would otherwise give up at the very moment at which we learn that somebody else is late.
SHARE = 0.95


def remaining(data: Mapping[str, Any], limit: float) -> float:
    """Seconds that may be used, `limit` at most; raises `DeadlineExceeded` when none are left."""
    moment = data.get(_KEY)
    if moment is None:
        return limit
    left = moment - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded()
    return min(left * SHARE, limit)


def outgoing(data: Mapping[str, Any]) -> dict[str, Any]:
    """Context data for a message to somebody else: without our own clock."""
    return {key: value for key, value in data.items() if key != _KEY and value is not None}
