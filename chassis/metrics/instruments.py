"""The counters and histograms of the chassis, and the registry that they are in.

All times are in seconds. What counts how often something happened ends in `_total`.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

# When a counter was made is a series more for each, and nothing here needs it.
disable_created_metrics()

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

#: Bounds for work that somebody waits for, up to the longest that a request may take.
_WORK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)
#: Bounds for what may wait for a server to come back, or for the last of its retries.
_AGES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800)
_LAGS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

WORK_SECONDS = Histogram(
    "shop_work_seconds",
    "Calls, events and runs of timers, with the sending of a reply or acknowledgement.",
    ("service", "kind", "entrypoint"),
    buckets=_WORK,
    registry=REGISTRY,
)
WORK = Counter(
    "shop_work_total",
    "The same by outcome: ok, repeated (an event applied before), refused (the caller's fault),"
    " failed (ours).",
    ("service", "kind", "entrypoint", "outcome"),
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "shop_http_request_seconds",
    "HTTP requests, from their head to their answer; a stream's until it begins.",
    ("service", "method", "route"),
    buckets=_WORK,
    registry=REGISTRY,
)
HTTP = Counter(
    "shop_http_requests_total",
    "HTTP requests by class of status; the route of those that fit none is '-'.",
    ("service", "method", "route", "status"),
    registry=REGISTRY,
)
CALL_SECONDS = Histogram(
    "shop_rpc_call_seconds",
    "Calls to another service as their caller sees them, the wait in the queue included.",
    ("service", "target"),
    buckets=_WORK,
    registry=REGISTRY,
)
CALLS = Counter(
    "shop_rpc_calls_total",
    "The same by outcome: ok, refused (the caller's fault), failed (no answer in time included).",
    ("service", "target", "outcome"),
    registry=REGISTRY,
)
REJECTED = Counter(
    "shop_rpc_rejected_total",
    "Calls that reached no method: unknown, or with arguments that it does not take.",
    ("service",),
    registry=REGISTRY,
)
EVENT_AGE = Histogram(
    "shop_event_age_seconds",
    "Age of an event when its handler begins; a retry is as old as what it repeats.",
    ("service", "entrypoint", "event"),
    buckets=_AGES,
    registry=REGISTRY,
)
RETRIES = Counter(
    "shop_event_retries_total",
    "Attempts at an event that failed and will be repeated.",
    ("service", "entrypoint"),
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "shop_dead_letters_total",
    "Messages that became dead letters, by the queue that they came from.",
    ("service", "queue"),
    registry=REGISTRY,
)
OUTBOX_LAG = Histogram(
    "shop_outbox_lag_seconds",
    "From an event's occurrence to the broker's confirmation.",
    ("service",),
    buckets=_AGES,
    registry=REGISTRY,
)
PUBLISHED = Counter(
    "shop_events_published_total",
    "Events that the broker has confirmed.",
    ("service", "event"),
    registry=REGISTRY,
)
REFUSED = Counter(
    "shop_events_refused_total",
    "Events that the broker refused this time: no queue, or a full one.",
    ("service", "event"),
    registry=REGISTRY,
)
PROVIDER_SECONDS = Histogram(
    "shop_provider_call_seconds",
    "Calls to others outside, such as payment providers and mail servers.",
    ("service", "provider", "operation"),
    buckets=_WORK,
    registry=REGISTRY,
)
PROVIDER_CALLS = Counter(
    "shop_provider_calls_total",
    "The same by outcome: ok, declined (a card, say), refused (the call), no_answer, failed.",
    ("service", "provider", "operation", "outcome"),
    registry=REGISTRY,
)
LOOP_LAG = Histogram(
    "shop_event_loop_lag_seconds",
    "How late the event loop wakes a greenthread that wants to be woken ten times a second.",
    buckets=_LAGS,
    registry=REGISTRY,
)
