"""Traces: what one request set going, in every service, as OpenTelemetry spans.

The way of a trace is `traceparent` in the context data of each worker (`chassis.trace`), in calls,
outbox rows, events and kept causes, also while nothing is recorded. With a collector in the
configuration, each piece of work replaces it by that of its own span, so that whatever it sets
going is below it. Nothing here relies on OpenTelemetry's own notion of a current span.

Off, a service's container has no `tracer`, nothing of OpenTelemetry is imported, and work costs a
comparison with None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from nameko.extensions import DependencyProvider

from chassis import config as configuration
from chassis.tracing.settings import TracingSettings

if TYPE_CHECKING:
    from chassis.tracing.tracer import Tracer

#: `with outside("send email", {...})`: what is done meanwhile is a call to somebody outside.
Outside = Callable[[str, Mapping[str, Any]], AbstractContextManager[None]]


def settings_in(config: Mapping[str, Any]) -> dict[str, Any]:
    """The section `tracing`; raises Nameko's `ConfigurationError`, with one line."""
    return configuration.check(TracingSettings(), config.get("tracing") or {}, "tracing")


def tracer_for(service: str, config: Mapping[str, Any]) -> Tracer | None:
    """What records the work of a service; None when that is off."""
    settings = settings_in(config)
    if not settings["endpoint"] or settings["disabled"]:
        return None
    from chassis.tracing.tracer import Tracer  # 0.1 s and 10 MB that only those pay who have it on

    return Tracer(service, settings)


def of(container: Any) -> Tracer | None:
    """The tracer of a service, once its container has started."""
    return getattr(container, "tracer", None)


class Calls(DependencyProvider):
    """Injects `outside(name, attributes)`, for calls to those who are no service of ours: mail
    servers, payment providers. Neither may hold anything personal."""

    def get_dependency(self, worker_ctx: Any) -> Outside:
        tracer = of(self.container)
        return unrecorded if tracer is None else partial(tracer.outside, worker_ctx.data)


def unrecorded(name: str, attributes: Mapping[str, Any]) -> AbstractContextManager[None]:
    """`Outside` while nothing is recorded."""
    return nullcontext()
