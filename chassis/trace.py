"""What work belongs to: the request that caused it, and its trace (W3C Trace Context)."""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from nameko.extensions import DependencyProvider

#: What travels on from a request to all that it causes.
CONTEXT = ("request_id", "traceparent")

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


def trace_context_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Of a worker's context data, what its work belongs to."""
    return {key: data[key] for key in CONTEXT if data.get(key)}


def trace_id_of(traceparent: Any) -> str | None:
    """The trace id in a `traceparent`; None when there is none."""
    parts = traceparent.split("-") if isinstance(traceparent, str) else []
    return parts[1] if len(parts) >= 4 else None


def new_traceparent() -> str:
    """The start of a new trace, of which nobody records anything. Its ids keep no secret, so they
    cost no system call."""
    return f"00-{new_trace_id()}-{random.getrandbits(64):016x}-00"


def new_trace_id() -> str:
    """The id of a trace of which nobody records anything."""
    return f"{random.getrandbits(128):032x}"


def is_traceparent(value: str) -> bool:
    """Whether `value` is a W3C traceparent that can be passed on."""
    match = _TRACEPARENT.match(value)
    if match is None:
        return False
    # Version 00 ends there; a later one may go on after a dash.
    rest = value[match.end() :]
    return not rest or (not value.startswith("00") and rest.startswith("-") and len(value) <= 256)


class TraceId(DependencyProvider):
    """Injects the trace id of the call or event that a worker serves, or None."""

    def get_dependency(self, worker_ctx: Any) -> str | None:
        return trace_id_of(worker_ctx.data.get("traceparent"))


class TraceContext(DependencyProvider):
    """Injects the `WorkTrace` of a worker."""

    def get_dependency(self, worker_ctx: Any) -> "WorkTrace":
        return WorkTrace(worker_ctx.data)


class WorkTrace:
    """What a worker's work belongs to, for work that is put off: `saved()` goes into a row, and
    who takes that up later works within `continuing(saved)`."""

    def __init__(self, data: dict[str, Any]):
        self._data = data

    def saved(self) -> dict[str, Any]:
        """Request id and traceparent, as far as there are any; JSON-able."""
        return trace_context_of(self._data)

    @contextmanager
    def continuing(self, saved: Mapping[str, Any]) -> Iterator[None]:
        """What is called, recorded and logged within this belongs to `saved` instead."""
        own = self.saved()
        self._set(saved)
        try:
            with structlog.contextvars.bound_contextvars(
                request_id=saved.get("request_id"), trace_id=trace_id_of(saved.get("traceparent"))
            ):
                yield
        finally:
            self._set(own)

    def _set(self, context: Mapping[str, Any]) -> None:
        for key in CONTEXT:
            self._data.pop(key, None)
        self._data.update(context)
