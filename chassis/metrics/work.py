"""Rate, errors and duration of whatever runs in a worker, a request to a route or a call."""

from collections.abc import Iterable
from typing import Any

from chassis.errors import Fault
from chassis.events.message import AlreadyHandled
from chassis.metrics.instruments import CALL_SECONDS, CALLS, HTTP, HTTP_SECONDS, WORK, WORK_SECONDS

OK, REPEATED, REFUSED, FAILED = "ok", "repeated", "refused", "failed"


def outcome_of(error: BaseException | None) -> str:
    """What came of work that ended with `error`."""
    if error is None:
        return OK
    if isinstance(error, AlreadyHandled):
        return REPEATED
    return REFUSED if isinstance(error, Fault) and error.status < 500 else FAILED


class WorkMeter:
    """Counts what one entrypoint does. All its series are there from the beginning, or the first
    failure would be no increase."""

    __slots__ = ("_counts", "_observe")

    def __init__(self, service: str, kind: str, entrypoint: str):
        names = (service, kind, entrypoint)
        outcomes = (OK, REPEATED, FAILED) if kind == "event" else (OK, REFUSED, FAILED)
        self._observe = WORK_SECONDS.labels(*names).observe
        self._counts = {outcome: WORK.labels(*names, outcome).inc for outcome in outcomes}

    def note(self, error: BaseException | None, seconds: float) -> None:
        """It took so long, and ended with `error`."""
        self._observe(seconds)
        outcome = outcome_of(error)
        self._counts[outcome if outcome in self._counts else FAILED]()


def meters(service: str, entrypoints: Iterable[Any]) -> dict[Any, WorkMeter]:
    """By entrypoint; those without a `kind` (routes, which their server counts) have none."""
    return {
        entrypoint: WorkMeter(service, entrypoint.kind, entrypoint.method_name)
        for entrypoint in entrypoints
        if hasattr(entrypoint, "kind")
    }


class CallMeter:
    """Counts the calls to one service."""

    __slots__ = ("_counts", "_observe")

    def __init__(self, service: str, target: str):
        self._observe = CALL_SECONDS.labels(service, target).observe
        self._counts = {
            outcome: CALLS.labels(service, target, outcome).inc for outcome in (OK, REFUSED, FAILED)
        }

    def note(self, error: BaseException | None, seconds: float) -> None:
        """It took so long, and ended with `error`."""
        self._observe(seconds)
        self._counts[outcome_of(error)]()


class RequestMeter:
    """Counts the requests to the routes of one service: by template, never by path."""

    def __init__(self, service: str):
        self._service = service
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def note(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """A request took so long; one that fits no route counts as such, whatever its method."""
        key = (method, route, status // 100) if route else ("-", "-", status // 100)
        meter = self._known.get(key)
        if meter is None:
            meter = self._known[key] = self._new(*key)
        observe, count = meter
        observe(seconds)
        count()

    def expect(self, method: str, route: str) -> None:
        """Have the series of a route that fails there before it does."""
        for status in (2, 5):
            self._known[method, route, status] = self._new(method, route, status)

    def _new(self, method: str, route: str, status: int) -> tuple[Any, Any]:
        names = (self._service, method, route)
        return HTTP_SECONDS.labels(*names).observe, HTTP.labels(*names, f"{status}xx").inc
