"""Events in a handler's hands: below what caused each of them, one by one or by the batch."""

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
    (told,) = worker_ctx.args
    events = [told] if isinstance(told, Event) else told
    name, about = conventions.processing(events[0].source, events[0].type, queue)
    data = worker_ctx.data
    if len(events) > 1:
        return _begin_batch(spans, data, events, name, about)
    (event,) = events
    data["traceparent"] = event.cause.get("traceparent")
    about = about | conventions.of_message(event)
    span = spans.below_sender(data, name, SpanKind.CONSUMER, about)
    event = _below(event, data["traceparent"])
    worker_ctx.args = (event if isinstance(told, Event) else [event],)
    return span


def _begin_batch(
    spans: SpanFactory,
    data: dict[str, Any],
    events: list[Event],
    name: str,
    about: Mapping[str, Any],
) -> BatchSpan | None:
    causes = [event.cause.get("traceparent") for event in events]
    links = [Link(context_of(cause, True)) for cause in causes if cause and is_recorded(cause)]
    if not links:
        data["traceparent"] = new_traceparent()
        return None
    batch = spans.begin(
        name, SpanKind.CONSUMER, {**about, **conventions.of_batch(len(events))}, links=links
    )
    data["traceparent"] = batch.traceparent
    to_batch = [Link(context_of(batch.traceparent, False))]
    each = []
    for place, (event, cause) in enumerate(zip(events, causes, strict=True)):
        of_event = {**about, **conventions.of_message(event)}
        span = spans.start(name, SpanKind.CONSUMER, of_event, cause, links=to_batch)
        if span is not None:
            each.append(span)
            events[place] = _below(event, span.traceparent)
    return BatchSpan(batch, each)


def _below(event: Event, traceparent: str) -> Event:
    """`event`, as the cause of what is below `traceparent`."""
    cause = {**event.cause, "traceparent": traceparent}
    return dataclasses.replace(event, trace_id=trace_id_of(traceparent), cause=cause)
