"""Time as a dependency, so that tests can move it."""

import datetime
from collections.abc import Callable
from typing import Any

from nameko.extensions import DependencyProvider

Now = Callable[[], datetime.datetime]


def utcnow() -> datetime.datetime:
    """The present moment, aware, in UTC."""
    return datetime.datetime.now(datetime.UTC)


class Clock(DependencyProvider):
    """Injects a callable that returns the present moment (aware, UTC)."""

    #: What every clock of this process reads; tests set it.
    source: Now = staticmethod(utcnow)

    def get_dependency(self, worker_ctx: Any) -> Now:
        return Clock.source
