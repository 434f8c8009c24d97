"""The way of spans to the collector: bounded, beside the work, and silent but for news."""

from __future__ import annotations

import logging
import os
import socket
import urllib.parse
import uuid
from collections.abc import Sequence
from typing import Any

import eventlet
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.semconv._incubating.attributes.host_attributes import HOST_NAME
from opentelemetry.semconv._incubating.attributes.process_attributes import PROCESS_PID
from opentelemetry.semconv._incubating.attributes.service_attributes import SERVICE_INSTANCE_ID
from opentelemetry.semconv.attributes.service_attributes import SERVICE_NAME

log = logging.getLogger(__name__)

#: Spans that may wait; further ones take the place of the oldest.
QUEUE = 2048
#: Spans in one request. They are encoded at one go, while all else waits: about 4 ms for so many.
BATCH = 128
#: Seconds between two requests when there are fewer.
EVERY = 2.0
#: Seconds that what is left may take at the end.
FLUSH = 1.0
#: Characters of an attribute, which only a statement's text can reach; links of a span.
LONGEST, MOST_LINKS = 2000, 200


class Exporter(SpanExporter):
    """OTLP over HTTP to one collector; that a collector is away is logged once."""

    def __init__(self, endpoint: str):
        self._otlp = OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces")
        self._where = urllib.parse.urlsplit(endpoint).netloc.rpartition("@")[2]
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._otlp.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                log.info("%s takes spans again, at least %d are lost", self._where, self._lost)
            self._lost = 0
        else:
            if not self._lost:
                log.warning("%s takes no spans, they are lost until it does", self._where)
            self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._otlp.shutdown()


class Pipeline:
    """The spans of one service, from their end to the collector."""

    def __init__(self, service: str, endpoint: str, sampler: Sampler):
        # What the exporter has to say is said once, above.
        for name in ("opentelemetry.exporter", "opentelemetry.sdk._shared_internal"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._exporter = Exporter(endpoint)
        self._processor = BatchSpanProcessor(
            self._exporter, QUEUE, schedule_delay_millis=EVERY * 1000, max_export_batch_size=BATCH
        )
        provider = TracerProvider(
            sampler=sampler,
            resource=_resource(service),
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_span_attribute_length=LONGEST, max_links=MOST_LINKS),
        )
        provider.add_span_processor(self._processor)
        self.tracer = provider.get_tracer("chassis")

    def close(self) -> None:
        """Send what is left, for a moment; then the rest is lost."""
        with eventlet.Timeout(FLUSH, False):
            self._processor.shutdown()
            return
        self._exporter.shutdown()


def _resource(service: str) -> Resource:
    """The resource that spans belong to; `OTEL_RESOURCE_ATTRIBUTES` adds to it."""
    who: dict[str, Any] = {
        SERVICE_NAME: service,
        SERVICE_INSTANCE_ID: str(uuid.uuid4()),
        HOST_NAME: socket.gethostname(),
        PROCESS_PID: os.getpid(),
    }
    return Resource.create(who)
