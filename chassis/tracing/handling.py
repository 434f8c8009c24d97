"""Spans of event handlers: children of the span that published an event, alone or in a batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import Link, SpanKind

from chassis.broker import topology
from chassis.messages import Event
from chassis.trace import new_traceparent, trace_id_of
from chassis.tracing import conventions
from chassis.tracing.spans import Span, SpanFactory, context_of, is_recorded


class BatchSpan:
    """A batch, in a trace of its own that has links to those of its events; and each event, in its
    own trace with a link to the batch. So either can be found from the other, and what an event
    sets going later is below its own span."""

    def __init__(self, batch: Span, each: Sequence[Span]):
        self._spans = (*each, batch)

    def end(self, error: BaseException | None = None) -> None:
        for span in self._spans:
            span.end(error)


def begin(spans: SpanFactory, worker_ctx: Any) -> Span | BatchSpan | None:
    """The span of a worker that handles one event or several; the events that it is given are below
    it from now on."""
    (given,) = worker_ctx.args
    events = [given] if isinstance(given, Event) else given
    data = worker_ctx.data
    if len(events) > 1:
        return _begin_batch(spans, worker_ctx, events)
    (event,) = events
    data["traceparent"] = event.trace_context.get("traceparent")
    name, about = _described(worker_ctx, event)
    span = spans.below_sender(data, name, SpanKind.CONSUMER, about)
    event = _below(event, data["traceparent"])
    worker_ctx.args = (event if isinstance(given, Event) else [event],)
    return span


def _begin_batch(spans: SpanFactory, worker_ctx: Any, events: list[Event]) -> BatchSpan | None:
    """Named after its first event, as there may be several types in it."""
    parents = [event.trace_context.get("traceparent") for event in events]
    links = [Link(context_of(parent, True)) for parent in parents if parent and is_recorded(parent)]
    if not links:
        worker_ctx.data["traceparent"] = new_traceparent()
        return None
    name, about = _processing(worker_ctx, events[0])
    batch = spans.begin(
        name, SpanKind.CONSUMER, {**about, **conventions.of_batch(len(events))}, links=links
    )
    worker_ctx.data["traceparent"] = batch.traceparent
    to_batch = [Link(context_of(batch.traceparent, False))]
    each = []
    for place, (event, parent) in enumerate(zip(events, parents, strict=True)):
        name, of_event = _described(worker_ctx, event)
        span = spans.start(name, SpanKind.CONSUMER, of_event, parent, links=to_batch)
        if span is not None:
            each.append(span)
            events[place] = _below(event, span.traceparent)
    return BatchSpan(batch, each)


def _described(worker_ctx: Any, event: Event) -> conventions.Described:
    name, about = _processing(worker_ctx, event)
    return name, about | conventions.of_message(event)


def _processing(worker_ctx: Any, event: Event) -> conventions.Described:
    method = worker_ctx.entrypoint.method_name
    queue = topology.queue_of(event.source, event.type, worker_ctx.service_name, method)
    return conventions.processing(event.source, event.type, queue)


def _below(event: Event, traceparent: str) -> Event:
    """`event`, for a handler whose work is below `traceparent`."""
    context = {**event.trace_context, "traceparent": traceparent}
    return dataclasses.replace(event, trace_id=trace_id_of(traceparent), trace_context=context)
