"""Spans, as the hooks begin and end them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.semconv._incubating.attributes.rpc_attributes import RPC_RESPONSE_STATUS_CODE
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import Tracer as OtelTracer

from chassis.errors import Fault
from chassis.messages import AlreadyHandled
from chassis.trace import is_traceparent

#: Last digits of a `traceparent` whose trace is recorded.
_SAMPLED = frozenset("13579bdf")
#: Kinds of work that somebody in another process has asked for.
_REMOTE = (SpanKind.SERVER, SpanKind.CONSUMER)


class Span:
    """A piece of work, while it lasts. `traceparent` is what belongs to it goes under."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: OtelSpan):
        self._span = span
        context = span.get_span_context()
        self.traceparent = (
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        )

    def end(self, error: BaseException | None = None) -> None:
        """It is over, by `error` if there is one: of that only the kind is recorded, for its text
        may hold anything."""
        if error is not None and not isinstance(error, AlreadyHandled):
            self.fail(kind_of(error))
        self._span.end()

    def fail(self, kind: str) -> None:
        """It has failed; `kind` is one of few words."""
        self._span.set_attribute(ERROR_TYPE, kind)
        self._span.set_status(StatusCode.ERROR)

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Say more of it."""
        self._span.set_attributes(attributes)


class CallSpan(Span):
    """A call, on either side; it says how it was answered. A refusal is an answer and no error."""

    __slots__ = ()

    def end(self, error: BaseException | None = None) -> None:
        if isinstance(error, Fault):
            self.note({RPC_RESPONSE_STATUS_CODE: error.code})
            error = error if error.status >= 500 else None
        super().end(error)


class Linked(TraceIdRatioBased):
    """Samples a ratio of traces by their ids, and each that continues one which is recorded."""

    def should_sample(
        self, parent_context: Any, trace_id: int, name: str, *rest: Any, **more: Any
    ) -> SamplingResult:
        links: Sequence[Link] = more.get("links") or ()
        if any(link.context.trace_flags.sampled for link in links):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, more.get("attributes"))
        return super().should_sample(parent_context, trace_id, name, *rest, **more)

    def get_description(self) -> str:
        return f"Linked{{{self.rate}}}"


def sampler(ratio: float) -> ParentBased:
    """What begins decides by the id of its trace, what follows does as that did."""
    return ParentBased(Linked(ratio))


def kind_of(error: BaseException) -> str:
    """A word for an error."""
    return error.code if isinstance(error, Fault) else type(error).__qualname__


def is_recorded(traceparent: Any) -> bool:
    """Whether `traceparent`, whatever was sent as such, is of a trace that is recorded."""
    return (
        isinstance(traceparent, str)
        and traceparent[54:55] in _SAMPLED
        and is_traceparent(traceparent)
    )


def flagged(traceparent: str, recorded: bool) -> str:
    """`traceparent` with our own word on whether its trace is recorded."""
    return f"00-{traceparent[3:53]}{'01' if recorded else '00'}"


def context_of(traceparent: str, is_remote: bool) -> SpanContext:
    """A well-formed `traceparent` of a recorded trace, as OpenTelemetry has it."""
    return SpanContext(
        int(traceparent[3:35], 16),
        int(traceparent[36:52], 16),
        is_remote,
        TraceFlags(TraceFlags.SAMPLED),
    )


def below(traceparent: str, kind: SpanKind) -> Context:
    """What makes a new span a child of `traceparent`."""
    parent = NonRecordingSpan(context_of(traceparent, kind in _REMOTE))
    return set_span_in_context(parent, Context())


class SpanFactory:
    """Makes the spans of one service."""

    def __init__(self, otel: OtelTracer):
        self._otel = otel

    def start(
        self,
        name: str,
        kind: SpanKind,
        about: Mapping[str, Any],
        parent: Any,
        form: type[Span] = Span,
        links: Sequence[Link] = (),
    ) -> Span | None:
        """A span below `parent`; None when nothing of that trace is recorded."""
        if not is_recorded(parent):
            return None
        return form(self._otel.start_span(name, below(parent, kind), kind, about, links))

    def begin(
        self,
        name: str,
        kind: SpanKind,
        about: Mapping[str, Any],
        form: type[Span] = Span,
        links: Sequence[Link] = (),
    ) -> Span:
        """The first span of a trace, recorded or not."""
        return form(self._otel.start_span(name, Context(), kind, about, links))

    def below_sender(
        self,
        data: dict[str, Any],
        name: str,
        kind: SpanKind,
        about: Mapping[str, Any],
        form: type[Span] = Span,
    ) -> Span | None:
        """Work that a message has asked for; without a trace of its sender's it begins one."""
        sent = data.get("traceparent")
        if isinstance(sent, str) and is_traceparent(sent):
            span = self.start(name, kind, about, sent, form)
        else:
            span = self.begin(name, kind, about, form)
        if span is not None:
            data["traceparent"] = span.traceparent
        return span
