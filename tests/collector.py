"""A collector of spans: what takes OTLP over HTTP, in this process."""

import contextlib
import dataclasses
import http.server
import threading
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Received


@dataclasses.dataclass(frozen=True)
class Span:
    """A span as it arrived; ids in hex, `links` as (trace id, span id), times in seconds."""

    service: str
    name: str
    kind: str
    trace_id: str
    id: str
    parent_id: str
    attributes: dict[str, Any]
    links: list[tuple[str, str]]
    failed: bool
    began: float
    ended: float
    instance: str

    @property
    def told(self):
        """Whose it is and what: `orders: orders.place SERVER`."""
        return f"{self.service}: {self.name} {self.kind}"


class Collector:
    """Takes spans at `url`; `refusing`, it answers 503."""

    def __init__(self):
        self.bodies = []
        self.spans = []
        self.paths = set()
        self.refusing = False
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def of(self, trace_id):
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def named(self, name):
        """The spans of one name, in whatever trace."""
        return [span for span in self.spans if span.name == name]

    def parent(self, span):
        """The span above, or None when it has not arrived, or is nobody's here."""
        found = [one for one in self.of(span.trace_id) if one.id == span.parent_id]
        return found[0] if found else None

    def way(self, span):
        """What is above a span, from the first to itself."""
        above = self.parent(span)
        return [*(self.way(above) if above else []), span.told]

    def edges(self, trace_id):
        """Who set what going, in one trace."""
        spans = {span.id: span for span in self.of(trace_id)}
        return {
            (spans[span.parent_id].told, span.told)
            for span in spans.values()
            if span.parent_id in spans
        }

    def _take(self, path, body):
        self.paths.add(path)
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            whose = _plain(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_span(whose, span) for span in scope.spans]

    def _handler(self):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not collector.refusing:
                    collector._take(self.path, body)
                self.send_response(503 if collector.refusing else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def collecting():
    """A `Collector`, for as long as that lasts."""
    collector = Collector()
    try:
        yield collector
    finally:
        collector.close()


def _span(whose, span):
    return Span(
        service=whose["service.name"],
        name=span.name,
        kind=Received.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes=_plain(span.attributes),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        failed=span.status.code == 2,
        began=span.start_time_unix_nano / 1e9,
        ended=span.end_time_unix_nano / 1e9,
        instance=whose["service.instance.id"],
    )


def _plain(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
