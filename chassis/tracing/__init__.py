"""Traces: what one request set going, in every service, as OpenTelemetry spans.

The way of a trace is `traceparent` in the context data of each worker (`chassis.trace`), in calls,
outbox rows, events and kept causes, also while nothing is recorded. With a collector in the
configuration, each piece of work replaces it by that of its own span, so that whatever it sets
going is below it. Nothing here relies on OpenTelemetry's own notion of a current span.

Off, there is no such observer (`chassis.observers`), and nothing of OpenTelemetry is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chassis import config as configuration
from chassis.tracing.settings import TracingSettings

if TYPE_CHECKING:
    from chassis.tracing.tracer import Tracer


def settings_in(config: Mapping[str, Any]) -> dict[str, Any]:
    """The section `tracing`; raises Nameko's `ConfigurationError`, with one line."""
    return configuration.check(TracingSettings(), config.get("tracing") or {}, "tracing")


def tracer_for(service: str, config: Mapping[str, Any]) -> Tracer | None:
    """The observer that records what a service does; None when that is off."""
    settings = settings_in(config)
    if not settings["endpoint"] or settings["disabled"]:
        return None
    from chassis.tracing.tracer import Tracer  # 0.1 s and 10 MB that only those pay who have it on

    return Tracer(service, settings)
