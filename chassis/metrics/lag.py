"""How late the event loop is: work that never waits keeps everybody else of its process waiting."""

import time

import eventlet

from chassis.metrics.instruments import LOOP_LAG

#: Seconds between two looks.
EVERY = 0.1


def watch() -> None:
    """Look for ever."""
    while True:
        due = time.perf_counter() + EVERY
        eventlet.sleep(EVERY)
        LOOP_LAG.observe(max(time.perf_counter() - due, 0))
