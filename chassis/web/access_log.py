"""A line in the log, and a count, for each request."""

from __future__ import annotations

from logging import getLogger

from chassis import logs
from chassis.observers import Observers
from chassis.web.responses import PROBLEM, Response

access = getLogger("chassis.web.access")


class AccessLog:
    """Tells of requests which route they had, not which path; nothing of a query or a body."""

    def __init__(self, observers: Observers):
        self._observers = observers

    def record(
        self,
        method: str,
        route: str | None,
        response: Response,
        seconds: float,
        request_id: str,
        trace_id: str,
    ) -> None:
        """A request has its answer, `seconds` after its head."""
        self._observers.answered(method, route, response.status, seconds)
        is_problem = response.media_type == PROBLEM
        fields = {
            "method": method,
            "route": route or "-",
            "status": response.status,
            "code": response.body["code"] if is_problem else None,
            "ms": round(seconds * 1000, 1),
            "request_id": request_id,
            "trace_id": trace_id,
        }
        logs.log_event(access, "request", fields)
