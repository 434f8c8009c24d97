"""The trace that a piece of work belongs to (W3C Trace Context)."""

from typing import Any

from nameko.extensions import DependencyProvider


def trace_id_of(traceparent: Any) -> str | None:
    """The trace id in a `traceparent`; None when there is none."""
    parts = traceparent.split("-") if isinstance(traceparent, str) else []
    return parts[1] if len(parts) == 4 else None


class TraceId(DependencyProvider):
    """Injects the trace id of the call or event that a worker serves, or None."""

    def get_dependency(self, worker_ctx: Any) -> str | None:
        return trace_id_of(worker_ctx.data.get("traceparent"))
