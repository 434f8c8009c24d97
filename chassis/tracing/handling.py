"""Spans of event handlers: children of the span that published an event, alone or in a batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.trace import Link, SpanKind

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


def begin(spans: SpanFactory, worker_ctx: Any, queue: str) -> Span | BatchSpan | None:
    """The span of a worker that handles one event or several; the events that it is given are below
    it from now on."""
    (given,) = worker_ctx.args
    events = [given] if isinstance(given, Event) else given
    name, about = conventions.processing(events[0].source, events[0].type, queue)
    data = worker_ctx.data
    if len(events) > 1:
        return _begin_batch(spans, data, events, name, about)
    (event,) = events
    data["traceparent"] = event.trace_context.get("traceparent")
    about = about | conventions.of_message(event)
    span = spans.below_sender(data, name, SpanKind.CONSUMER, about)
    event = _below(event, data["traceparent"])
    worker_ctx.args = (event if isinstance(given, Event) else [event],)
    return span


def _begin_batch(
    spans: SpanFactory,
    data: dict[str, Any],
    events: list[Event],
    name: str,
    about: Mapping[str, Any],
) -> BatchSpan | None:
    parents = [event.trace_context.get("traceparent") for event in events]
    links = [Link(context_of(parent, True)) for parent in parents if parent and is_recorded(parent)]
    if not links:
        data["traceparent"] = new_traceparent()
        return None
    batch = spans.begin(
        name, SpanKind.CONSUMER, {**about, **conventions.of_batch(len(events))}, links=links
    )
    data["traceparent"] = batch.traceparent
    to_batch = [Link(context_of(batch.traceparent, False))]
    each = []
    for place, (event, parent) in enumerate(zip(events, parents, strict=True)):
        of_event = {**about, **conventions.of_message(event)}
        span = spans.start(name, SpanKind.CONSUMER, of_event, parent, links=to_batch)
        if span is not None:
            each.append(span)
            events[place] = _below(event, span.traceparent)
    return BatchSpan(batch, each)


def _below(event: Event, traceparent: str) -> Event:
    """`event`, for a handler whose work is below `traceparent`."""
    context = {**event.trace_context, "traceparent": traceparent}
    return dataclasses.replace(event, trace_id=trace_id_of(traceparent), trace_context=context)
