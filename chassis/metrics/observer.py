"""Counts what happens in a service: rate, errors and duration of its work, and what is lost."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from chassis.entrypoints import Measured
from chassis.errors import Fault
from chassis.events.handler import EventHandler
from chassis.events.outbox import EventOutbox
from chassis.messages import AlreadyHandled
from chassis.metrics.instruments import (
    CALL_SECONDS,
    CALLS,
    DEAD_LETTERS,
    EVENT_AGE,
    HTTP,
    HTTP_SECONDS,
    OUTBOX_LAG,
    PROVIDER_CALLS,
    PROVIDER_SECONDS,
    PUBLISHED,
    REFUSED,
    REJECTED,
    RETRIES,
    WORK,
    WORK_SECONDS,
)
from chassis.observers import End, Observer
from chassis.rpc.server import RpcConsumer

OK, REPEATED, REFUSED_BY_US, FAILED = "ok", "repeated", "refused", "failed"


def outcome_of(error: BaseException | None) -> str:
    """What came of work that ended with `error`."""
    if error is None:
        return OK
    if isinstance(error, AlreadyHandled):
        return REPEATED
    return REFUSED_BY_US if isinstance(error, Fault) and error.status < 500 else FAILED


class Meter:
    """Rate, errors and duration of one kind of thing. All its series are there from the beginning,
    or the first failure would be no increase."""

    __slots__ = ("_counts", "_observe")

    def __init__(self, seconds: Any, counter: Any, names: tuple[str, ...], *outcomes: str):
        self._observe = seconds.labels(*names).observe
        self._counts = {outcome: counter.labels(*names, outcome).inc for outcome in outcomes}

    def begin(self) -> End:
        """It begins; to be called with the error that it ends with."""
        return partial(self._end, perf_counter())

    def _end(self, began: float, error: BaseException | None) -> None:
        self._observe(perf_counter() - began)
        outcome = outcome_of(error)
        self._counts[outcome if outcome in self._counts else FAILED]()


class MetricsObserver(Observer):
    """Of one service, in the registry of the process (`chassis.metrics.instruments`)."""

    def __init__(self, service: str):
        self._service = service
        self._work: dict[Any, Meter | None] = {}
        self._calls: dict[str, Meter] = {}
        self._requests: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self._lag = OUTBOX_LAG.labels(service)

    def started(self, container: Any) -> None:
        """Have the series there of all that may happen: the first of a kind is an increase, too."""
        for extension in container.extensions:
            if isinstance(extension, Measured):
                self._expect(extension)
            if isinstance(extension, EventHandler | RpcConsumer):
                DEAD_LETTERS.labels(self._service, extension.queue)
            if isinstance(extension, RpcConsumer):
                REJECTED.labels(self._service)
            if isinstance(extension, EventOutbox):
                for event_type in extension.schemas:
                    PUBLISHED.labels(self._service, event_type)

    def _expect(self, entrypoint: Any) -> None:
        self._meter_of(entrypoint)
        if entrypoint.kind == "http":
            for status in (2, 5):
                self._requests_of(entrypoint.method, entrypoint.path, status)
        if entrypoint.kind == "event":
            RETRIES.labels(self._service, entrypoint.method_name)
            event = f"{entrypoint.source_service}.{entrypoint.event_type}"
            EVENT_AGE.labels(self._service, entrypoint.method_name, event)

    def work(self, worker_ctx: Any) -> End | None:
        meter = self._meter_of(worker_ctx.entrypoint)
        return None if meter is None else meter.begin()

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """By template, never by path; what fits no route counts as such, whatever its method."""
        key = (method, route, status // 100) if route else ("-", "-", status // 100)
        observe, count = self._requests.get(key) or self._requests_of(*key)
        observe(seconds)
        count()

    def call(self, data: dict[str, Any], service: str, method: str) -> End:
        meter = self._calls.get(service)
        if meter is None:
            names = (self._service, service)
            meter = Meter(CALL_SECONDS, CALLS, names, OK, REFUSED_BY_US, FAILED)
            self._calls[service] = meter
        return meter.begin()

    def rejected(self) -> None:
        REJECTED.labels(self._service).inc()

    def publishing(self, row: Any, headers: dict[str, Any]) -> Callable[[bool, float], None]:
        return partial(self._published, row)

    def _published(self, row: Any, is_safe: bool, now: float) -> None:
        (PUBLISHED if is_safe else REFUSED).labels(row["source"], row["type"]).inc()
        if is_safe:
            self._lag.observe(max(now - row["occurred_at"].timestamp(), 0))

    def received(self, handler: str, event: Any, age: float) -> None:
        EVENT_AGE.labels(self._service, handler, f"{event.source}.{event.type}").observe(age)

    def retried(self, handler: str) -> None:
        RETRIES.labels(self._service, handler).inc()

    def dead_lettered(self, queue: str) -> None:
        DEAD_LETTERS.labels(self._service, queue).inc()

    def external_answer(self, provider: str, operation: str, outcome: str, seconds: float) -> None:
        names = (self._service, provider, operation)
        PROVIDER_SECONDS.labels(*names).observe(seconds)
        PROVIDER_CALLS.labels(*names, outcome).inc()

    def _meter_of(self, entrypoint: Any) -> Meter | None:
        """Routes have none, for their server counts whole requests; nor has what is not ours."""
        try:
            return self._work[entrypoint]
        except KeyError:
            meter = self._work[entrypoint] = self._new_meter(entrypoint)
            return meter

    def _new_meter(self, entrypoint: Any) -> Meter | None:
        if not isinstance(entrypoint, Measured) or entrypoint.kind == "http":
            return None
        names = (self._service, entrypoint.kind, entrypoint.method_name)
        answer = REPEATED if entrypoint.kind == "event" else REFUSED_BY_US
        return Meter(WORK_SECONDS, WORK, names, OK, answer, FAILED)

    def _requests_of(self, method: str, route: str, status: int) -> tuple[Any, Any]:
        names = (self._service, method, route)
        meter = HTTP_SECONDS.labels(*names).observe, HTTP.labels(*names, f"{status}xx").inc
        self._requests[method, route, status] = meter
        return meter
