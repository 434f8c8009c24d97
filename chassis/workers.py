"""How a service divides its workers, so that none of its work starves the rest.

Nameko has one pool of `max_workers` for everything: a burst of slow events would keep calls
waiting. Here calls, events and timers each have a share, and no more than a share is ever taken
from the broker; so there is always a free worker for what was taken.
"""

from typing import Any

from nameko.timer import Timer

#: The part of the workers that events may occupy.
EVENT_SHARE = 4


def workers_for_events(container: Any) -> int:
    """How many event handlers may run at once."""
    return max(1, container.max_workers // EVENT_SHARE)


def workers_for_rpc(container: Any) -> int:
    """How many calls may run at once."""
    timers = sum(isinstance(entrypoint, Timer) for entrypoint in container.entrypoints)
    return max(1, container.max_workers - workers_for_events(container) - timers)
