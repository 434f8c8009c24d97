"""The observer that makes spans of what happens in one service."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nameko.timer import Timer
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE
from opentelemetry.trace import SpanKind
from sqlalchemy import Engine

from chassis.clock import Clock
from chassis.events.handler import EventHandler
from chassis.observers import End, Observer
from chassis.rpc.server import Rpc
from chassis.trace import new_traceparent
from chassis.tracing import conventions, handling
from chassis.tracing.export import Pipeline
from chassis.tracing.spans import (
    CallSpan,
    Span,
    SpanFactory,
    flagged,
    is_recorded,
    sampler,
)
from chassis.tracing.sql import WORK, Statements
from chassis.web.responses import PROBLEM


class Tracer(SpanFactory, Observer):
    """The tracer of one service, from the start of its container to its stop."""

    def __init__(self, service: str, settings: Mapping[str, Any]):
        self._ratio: float = settings["sample_ratio"]
        self._trusts_callers: bool = settings["trust_callers"]
        self._pipeline = Pipeline(service, settings["endpoint"], sampler(self._ratio))
        super().__init__(self._pipeline.tracer)

    def closed(self) -> None:
        """Send what is left, within a second or so."""
        self._pipeline.close()

    def database(self, engine: Engine) -> None:
        """Record the statements of `engine`."""
        Statements(engine, self.start)

    def routed(self, request: Any) -> Callable[[Any], None] | None:
        """An HTTP request that has found its route. Whether the client's own trace is recorded we
        decide at random: strangers could choose an id that any rule by ids would record."""
        route, sent = request.route, request.head.headers.get("traceparent")
        if route.probe:  # asked by machines of ours, all the time
            request.traceparent = flagged(request.traceparent, False)
            return None
        name, about = conventions.http_request(request.method, route.path)
        if sent != request.traceparent:
            span: Span | None = self.begin(name, SpanKind.SERVER, about)
        else:
            if not self._trusts_callers:
                lot = random.random() < self._ratio  # noqa: S311  (no secret)
                request.traceparent = flagged(sent, lot)
            span = self.start(name, SpanKind.SERVER, about, request.traceparent)
        if span is None:
            return None
        request.traceparent = span.traceparent
        return partial(_answered, span)

    def call(self, data: dict[str, Any], service: str, method: str) -> End | None:
        name, about = conventions.rpc(service, method)
        span = self.start(name, SpanKind.CLIENT, about, data.get("traceparent"), CallSpan)
        if span is None:
            return None
        data["traceparent"] = span.traceparent
        return span.end

    def publishing(self, row: Any, headers: dict[str, Any]) -> Callable[[bool, float], None] | None:
        parent = headers.get("traceparent")
        if not is_recorded(parent):
            return None
        name, about = conventions.sending(row)
        waited = max(0.0, (Clock.source() - row["occurred_at"]).total_seconds())
        about[conventions.OUTBOX_DELAY] = waited
        span = self.start(name, SpanKind.PRODUCER, about, parent)
        if span is None:
            return None
        headers["traceparent"] = span.traceparent
        return partial(_sent, span)

    def work(self, worker_ctx: Any) -> End | None:
        """What the worker sets going is below it."""
        span = self._span_of(worker_ctx)
        return None if span is None else span.end

    def _span_of(self, worker_ctx: Any) -> Span | handling.BatchSpan | None:
        data, entrypoint = worker_ctx.data, worker_ctx.entrypoint
        WORK.set(data)
        match entrypoint:
            case Rpc(method_name="health") if not data.get("traceparent"):
                # Asked by machines of ours, all the time.
                data["traceparent"] = new_traceparent()
                return None
            case Rpc():
                name, about = conventions.rpc(worker_ctx.service_name, entrypoint.method_name)
                return self.below_sender(data, name, SpanKind.SERVER, about, CallSpan)
            case EventHandler():
                return handling.begin(self, worker_ctx)
            case Timer():
                name = f"timer {worker_ctx.service_name}.{entrypoint.method_name}"
                span = self.begin(name, SpanKind.INTERNAL, {})
                data["traceparent"] = span.traceparent
                return span
        return None  # a route, whose request has a span already

    def external_call(
        self, data: dict[str, Any], name: str, attributes: Mapping[str, Any]
    ) -> End | None:
        """What is asked for meanwhile is below it."""
        own = data.get("traceparent")
        span = self.start(name, SpanKind.CLIENT, attributes, own)
        if span is None:
            return None
        data["traceparent"] = span.traceparent

        def end(error: BaseException | None) -> None:
            span.end(error)
            data["traceparent"] = own

        return end


def _sent(span: Span, is_safe: bool, now: float) -> None:
    """The broker has confirmed an event, or refused it: then it is sent again."""
    if not is_safe:
        span.fail("refused")
    span.end()


def _answered(span: Span, answer: Any) -> None:
    """The answer to a request is about to be sent."""
    span.note({HTTP_RESPONSE_STATUS_CODE: answer.status})
    if answer.status >= 500:
        span.fail(answer.body["code"] if answer.media_type == PROBLEM else str(answer.status))
    span.end()
