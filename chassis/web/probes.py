"""Whether the process is well, asked by machines: cheap, however often and by how many."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eventlet import Timeout
from eventlet.event import Event

from chassis.errors import DeadlineExceeded
from chassis.web.responses import Response, as_own
from chassis.web.stopping import Stopping

if TYPE_CHECKING:
    from chassis.web.request import Request, RunnableRoute

#: Seconds for which an answer is given again.
_KEPT_SECONDS = 1.0


@dataclass(slots=True)
class _Asked:
    """One question: its answer comes, and is then good until `until`."""

    answered: Event = field(default_factory=Event)
    until: float | None = None

    @property
    def is_old(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until


class Probes:
    """The answers of routes that are probes, each asked for once at a time.

    So they need a worker for each probe at most, and none of the places for requests.
    """

    def __init__(self, seconds: float, stopping: Stopping):
        """`seconds` is how long an answer may take."""
        self._seconds = seconds
        self._stopping = stopping
        self._asked: dict[tuple[str, bool], _Asked] = {}

    def answer(self, route: RunnableRoute, request: Request) -> Response:
        """What the route answers, or has answered a moment ago. Raises what the route raises."""
        key = route.path, self._stopping.has_begun
        asked = self._asked.get(key)
        if asked is None or asked.is_old:
            asked = self._asked[key] = _Asked()
            self._ask(asked, route, request)
        with Timeout(self._seconds, DeadlineExceeded()):
            return as_own(asked.answered.wait(), request)

    def _ask(self, asked: _Asked, route: RunnableRoute, request: Request) -> None:
        request.route = route
        try:
            asked.answered.send(route.run(request))
        except Exception as error:
            asked.answered.send_exception(error)
        finally:
            asked.until = time.monotonic() + _KEPT_SECONDS
