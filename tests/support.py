"""What tests use besides fixtures."""

import time
from collections.abc import Callable
from typing import Any

import eventlet


def eventually(condition: Callable[[], Any], timeout: float = 10, every: float = 0.02) -> Any:
    """The first true value of `condition`; fails with the last one when there is none in time.

    An assertion that fails inside `condition` counts as not yet.
    """
    until = time.monotonic() + timeout
    while True:
        value: Any
        try:
            value = condition()
            if value:
                return value
        except AssertionError as not_yet:
            value = not_yet
        if time.monotonic() > until:
            raise AssertionError(f"not within {timeout} s; last: {value!r}")
        eventlet.sleep(every)
