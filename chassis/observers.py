"""What happens in a service, as metrics and tracing observe it.

The parts of the chassis call the `Observers` of their container, and know of no others: a new
observer changes nothing below the container, which alone knows who they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

#: Called once when what has begun is over, with the error that it ended with, or None.
End = Callable[[BaseException | None], None]


class Observer:
    """Observes one service. What is not of interest is left as it is here, where nothing is done.

    Methods that return a function are called when something begins; the function is called at its
    end.
    """

    def started(self, container: Any) -> None:
        """All extensions of the service are set up and started."""

    def closed(self) -> None:
        """The service is over."""

    def work(self, worker_ctx: Any) -> End | None:
        """A worker begins. Its context data, and events among its arguments, may be replaced."""

    def routed(self, request: Any) -> Callable[[Any], None] | None:
        """An HTTP request has found its route; at the end, the function gets the `Response`."""

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """An HTTP request is answered, whether there was a route (its template) for it or not."""

    def call(self, data: dict[str, Any], service: str, method: str) -> End | None:
        """A call to another service begins, with `data` for its context."""

    def rejected(self) -> None:
        """A call reached no method of ours: an unknown one, or arguments that it does not take."""

    def publishing(self, row: Any, headers: dict[str, Any]) -> Callable[[bool, float], None] | None:
        """An outbox row is about to be published with `headers`; at the end, the function gets
        whether the broker has confirmed it, and when (seconds since 1970)."""

    def received(self, handler: str, event: Any, age: float) -> None:
        """A handler has got an event that occurred `age` seconds ago."""

    def retried(self, handler: str) -> None:
        """An attempt at an event has failed, and will be repeated."""

    def dead_lettered(self, queue: str) -> None:
        """A message of `queue` has been put with the dead letters."""

    def database(self, engine: Any) -> None:
        """An SQLAlchemy engine was made, of which nothing was asked yet."""

    def external_call(
        self, data: dict[str, Any], name: str, attributes: Mapping[str, Any]
    ) -> End | None:
        """A worker, with `data` for its context, begins to ask somebody who is no service of ours.
        See `chassis.external`."""

    def external_answer(self, provider: str, operation: str, outcome: str, seconds: float) -> None:
        """What somebody who is no service of ours was asked has come to an end."""


class Observers(Observer):
    """All observers of a service, as one."""

    def __init__(self, *observers: Observer):
        self._each = observers

    def started(self, container: Any) -> None:
        for observer in self._each:
            observer.started(container)

    def closed(self) -> None:
        for observer in self._each:
            observer.closed()

    def work(self, worker_ctx: Any) -> End | None:
        return _all([observer.work(worker_ctx) for observer in self._each])

    def routed(self, request: Any) -> Callable[[Any], None] | None:
        return _all([observer.routed(request) for observer in self._each])

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        for observer in self._each:
            observer.answered(method, route, status, seconds)

    def call(self, data: dict[str, Any], service: str, method: str) -> End | None:
        return _all([observer.call(data, service, method) for observer in self._each])

    def rejected(self) -> None:
        for observer in self._each:
            observer.rejected()

    def publishing(self, row: Any, headers: dict[str, Any]) -> Callable[[bool, float], None] | None:
        return _all([observer.publishing(row, headers) for observer in self._each])

    def received(self, handler: str, event: Any, age: float) -> None:
        for observer in self._each:
            observer.received(handler, event, age)

    def retried(self, handler: str) -> None:
        for observer in self._each:
            observer.retried(handler)

    def dead_lettered(self, queue: str) -> None:
        for observer in self._each:
            observer.dead_lettered(queue)

    def database(self, engine: Any) -> None:
        for observer in self._each:
            observer.database(engine)

    def external_call(
        self, data: dict[str, Any], name: str, attributes: Mapping[str, Any]
    ) -> End | None:
        return _all([observer.external_call(data, name, attributes) for observer in self._each])

    def external_answer(self, provider: str, operation: str, outcome: str, seconds: float) -> None:
        for observer in self._each:
            observer.external_answer(provider, operation, outcome, seconds)


#: For a container that is not ours.
NOBODY = Observers()


def observers_of(container: Any) -> Observers:
    """The observers of a service."""
    return getattr(container, "observers", NOBODY)


def _all(ends: list[Any]) -> Any:
    """One function that calls those of `ends` that are none of None; None when all are."""
    given = [end for end in ends if end is not None]
    if len(given) < 2:
        return given[0] if given else None

    def end(*outcome: Any) -> None:
        for each in given:
            each(*outcome)

    return end
