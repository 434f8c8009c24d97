"""Statements as spans, below whatever work sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry.semconv.attributes.db_attributes import (
    DB_OPERATION_BATCH_SIZE,
    DB_RESPONSE_STATUS_CODE,
)
from opentelemetry.trace import SpanKind
from sqlalchemy import Engine, event

from chassis.tracing import conventions
from chassis.tracing.spans import Span, kind_of

#: The context data of the worker that runs in this greenthread. Each has its own: greenlets begin
#: with no context variables of others. What runs in none, such as the relay, is not recorded.
WORK: ContextVar[Mapping[str, Any] | None] = ContextVar("work", default=None)

Start = Callable[[str, SpanKind, Mapping[str, Any], Any], Span | None]


class Statements:
    """Has each statement of an engine be a span; to be made before anything rewrites them."""

    def __init__(self, engine: Engine, start: Start):
        self._start = start
        self._about = conventions.database(engine.url)
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        event.listen(engine, "handle_error", self._failed)

    def _before(
        self, connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool
    ) -> None:
        work = WORK.get()
        if work is None or context is None:
            return
        name, about = conventions.statement(text)
        about = {**self._about, **about}
        if many:
            about[DB_OPERATION_BATCH_SIZE] = len(parameters)
        context.span = self._start(name, SpanKind.CLIENT, about, work.get("traceparent"))

    def _after(
        self, connection: Any, cursor: Any, text: str, parameters: Any, context: Any, many: bool
    ) -> None:
        span = _span_of(context)
        if span is not None:
            span.end()

    def _failed(self, failure: Any) -> None:
        span = _span_of(failure.execution_context)
        if span is None:
            return
        code = getattr(failure.original_exception, "pgcode", None)
        if code:
            span.note({DB_RESPONSE_STATUS_CODE: code})
        span.fail(code or kind_of(failure.original_exception))
        span.end()


def _span_of(context: Any) -> Span | None:
    """The span of a statement, once."""
    span, has_one = getattr(context, "span", None), context is not None
    if has_one:
        context.span = None
    return span
