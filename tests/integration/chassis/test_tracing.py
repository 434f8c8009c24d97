"""Spans of calls, statements and events: whose they are, and what they don't tell."""

import socket
import time
import uuid

import eventlet
import orjson
import pika
import pytest
import structlog
from nameko.testing.utils import find_free_port

from chassis.errors import Conflict, Fault
from chassis.tracing import export
from chassis.tracing.tracer import Tracer
from tests.collector import collecting
from tests.integration.chassis.world import Gatherer, Listener, Middle, Speaker

QUEUE = "evt-speaker-shouted--gatherer.on_shouted"
WHISPERS = "evt-speaker-whispered--gatherer.on_shouted"
CALLER = "00f067aa0ba902b7"


def trace(number):
    return f"{number:032x}"


def sent(number, flags="01"):
    return f"00-{trace(number)}-{CALLER}-{flags}"


def put(channel, queue, number, flags="01", event_id=None):
    """An event of trace `number`, in the queue of a handler."""
    headers = {
        "nameko.occurred_at": "2026-01-01T00:00:00+00:00",
        "nameko.traceparent": sent(number, flags),
    }
    about = pika.BasicProperties(
        message_id=str(event_id or uuid.uuid4()), content_type="application/json", headers=headers
    )
    channel.basic_publish("", queue, orjson.dumps({"text": str(number)}), about)


@pytest.fixture
def collector(monkeypatch):
    monkeypatch.setattr(export, "EVERY", 0.1)
    with collecting() as collector:
        yield collector


@pytest.fixture
def traced(start, collector):
    """`traced(Service, ...)`: as `start`, everything recorded."""

    def begin(*services, **settings):
        return start(*services, tracing={"endpoint": collector.url} | settings)

    return begin


def test_each_worker_has_its_own_statements(call, start, traced, collector, eventually):
    """Many at once, in one process: nothing of one is below another, and what no worker does, such
    as the relay's own looks, is in no trace."""
    start(Listener)  # or there would be nowhere to send to
    traced(Speaker)
    numbers = range(1, 31)
    asking = eventlet.GreenPool()
    for number in numbers:
        asking.spawn(call.with_data(traceparent=sent(number)).speaker.say, str(number))
    asking.waitall()

    def complete():
        return all(len(collector.of(trace(number))) == 4 for number in numbers)

    eventually(complete)
    for number in numbers:
        (served,) = (s for s in collector.of(trace(number)) if s.kind == "SERVER")
        assert served.parent_id == CALLER
        assert collector.edges(trace(number)) == {
            (served.told, "speaker: INSERT notes CLIENT"),
            (served.told, "speaker: INSERT outbox CLIENT"),
            (served.told, "speaker: send speaker.events:said PRODUCER"),
        }
    assert {span.trace_id for span in collector.spans} == {trace(number) for number in numbers}


def test_a_call_is_a_span_on_either_side(call, traced, collector, eventually):
    """In the caller's service and in the callee's, one below the other."""
    traced(Speaker, Middle)
    call.with_data(traceparent=sent(1)).middle.pass_on("plain", 1)
    spans = eventually(lambda: len(collector.of(trace(1))) == 3 and collector.of(trace(1)))
    (last,) = (span for span in spans if span.service == "speaker")
    assert collector.way(last) == [
        "middle: middle.pass_on SERVER",
        "middle: speaker.plain CLIENT",
        "speaker: speaker.plain SERVER",
    ]


@pytest.mark.parametrize("traceparent", [None, "garbage", "00-" + "0" * 32 + f"-{CALLER}-01", 7])
def test_without_a_trace_of_its_own_a_call_begins_one(
    call, traced, collector, eventually, traceparent
):
    """A shell's, say; and what is no traceparent counts as none."""
    traced(Speaker, Middle)
    call.with_data(traceparent=traceparent).middle.pass_on("plain", 1)
    spans = eventually(lambda: len(collector.spans) == 3 and collector.spans)
    assert len({span.trace_id for span in spans}) == 1
    assert [span.told for span in spans if not span.parent_id] == ["middle: middle.pass_on SERVER"]


def test_probes_begin_no_trace(call, traced, collector):
    """Nor do their statements; one that belongs to a trace is in it as any call."""
    (speaker,) = traced(Speaker)
    call.speaker.health()
    call.with_data(traceparent=sent(1)).speaker.health()
    speaker.stop()
    assert {span.trace_id for span in collector.spans} == {trace(1)}


def test_what_is_not_sampled_is_passed_on_and_not_recorded(
    call, traced, collector, eventually, monkeypatch, rows
):
    """The first one decides for all, whatever our ratio; its traceparent goes on as it is."""
    traced(Speaker, Listener)
    causes = []
    monkeypatch.setattr(Listener, "before", staticmethod(lambda e: causes.append(e.trace_context)))
    monkeypatch.setattr(Listener, "during", staticmethod(lambda event: None))
    call.with_data(traceparent=sent(2, "00")).speaker.say("quiet")
    call.with_data(traceparent=sent(3)).speaker.say("loud")
    eventually(lambda: len(causes) == 2)
    eventually(lambda: [s for s in collector.of(trace(3)) if s.kind == "CONSUMER"])
    assert collector.of(trace(2)) == []
    (quiet, loud) = causes
    assert quiet["traceparent"] == sent(2, "00")
    assert loud["traceparent"].split("-")[1] == trace(3)


def test_the_ratio_decides_for_traces_that_begin_here(call, traced, collector):
    """With 0 nothing is recorded, but where somebody else has decided."""
    (speaker,) = traced(Speaker, sample_ratio=0)
    for _ in range(10):
        call.speaker.plain(1)
    call.with_data(traceparent=sent(4)).speaker.plain(1)
    speaker.stop()
    assert [span.trace_id for span in collector.spans] == [trace(4)]


def test_errors_are_told_by_kind_only(call, traced, collector, eventually):
    """The text of an error may hold anything, a server's about a value as well."""
    traced(Speaker)
    for number, (method, arguments) in enumerate(
        [("broken", ()), ("full", ()), ("sleep_in_database", ("secret-value",))], 1
    ):
        with pytest.raises((Fault, Conflict)):
            getattr(call.with_data(traceparent=sent(number)).speaker, method)(*arguments)
    eventually(lambda: len(collector.spans) == 4)
    broken, full = collector.of(trace(1))[0], collector.of(trace(2))[0]
    assert (broken.failed, broken.attributes["error.type"]) == (True, "KeyError")
    assert (full.failed, full.attributes["rpc.response.status_code"]) == (False, "full")
    (statement,) = (s for s in collector.of(trace(3)) if s.kind == "CLIENT")
    assert statement.failed
    assert statement.attributes["db.response.status_code"] == "22P02"
    sent_bytes = b"".join(collector.bodies)
    assert b"hunter2" not in sent_bytes
    assert b"secret-value" not in sent_bytes


def test_a_batch_and_its_events_are_linked(
    traced, channel, collector, eventually, monkeypatch, rows
):
    """The batch has a trace of its own, which knows its events, and each event a span in its own;
    an event that is not recorded stays so. One alone is no batch."""
    go, sizes, causes = eventlet.event.Event(), [], []

    def before(events):
        sizes.append(len(events))
        causes.extend(event.trace_context["traceparent"] for event in events)
        go.wait()

    monkeypatch.setattr(Gatherer, "before", staticmethod(before))
    monkeypatch.setattr(Gatherer, "during", staticmethod(lambda events: None))
    (gatherer,) = traced(Gatherer)
    handler, _ = (one for one in gatherer.entrypoints if one.method_name == "on_shouted")
    for number in range(1, 5):
        queue = WHISPERS if number == 4 else QUEUE
        put(channel, queue, number, "00" if number == 3 else "01")
        eventually(lambda: sizes)
    eventually(lambda: len(handler._batches._gathered) == 3)
    go.send()
    eventually(lambda: sizes == [1, 3])

    def handled():
        return [span for span in collector.spans if span.kind == "CONSUMER"]

    alone, batch, *each = sorted(
        eventually(lambda: len(handled()) == 4 and handled()),
        key=lambda span: (span.trace_id != trace(1), bool(span.parent_id), span.trace_id),
    )
    assert (alone.parent_id, alone.links) == (CALLER, [])
    assert batch.parent_id == ""
    assert batch.attributes["messaging.batch.message_count"] == 3
    assert batch.links == [(trace(2), CALLER), (trace(4), CALLER)]
    assert [span.trace_id for span in each] == [trace(2), trace(4)]
    for span in each:
        assert (span.parent_id, span.links) == (CALLER, [(batch.trace_id, batch.id)])
    subscription = "messaging.destination.subscription.name"
    assert [span.attributes[subscription] for span in each] == [QUEUE, WHISPERS]
    # What is put off because of an event is below its own span.
    assert [cause.split("-")[2] for cause in causes] == [alone.id, each[0].id, CALLER, each[1].id]
    statements = [s for s in collector.of(batch.trace_id) if "db.query.text" in s.attributes]
    assert {span.parent_id for span in statements} == {batch.id}


def test_the_log_names_the_trace_of_a_lone_event(start, channel, eventually, monkeypatch, rows):
    """Of a handler by the batch as well, also when nothing is recorded."""
    seen = []
    said = structlog.contextvars.get_contextvars
    monkeypatch.setattr(Gatherer, "before", staticmethod(lambda _: seen.append(said()["trace_id"])))
    monkeypatch.setattr(Gatherer, "during", staticmethod(lambda events: None))
    start(Gatherer)
    put(channel, QUEUE, 5)
    eventually(lambda: seen == [trace(5)])


def test_a_repeat_is_no_error(call, traced, channel, collector, eventually):
    """An event that the inbox knows is done."""
    traced(Listener)
    for number in (1, 2):
        put(channel, "evt-speaker-said--listener.on_said", number, event_id=uuid.UUID(int=7))
        (span,) = eventually(
            lambda n=number: [s for s in collector.of(trace(n)) if s.kind == "CONSUMER"]
        )
        assert not span.failed


def test_a_collector_that_is_away_holds_up_nobody(
    call, start, logged, eventually, monkeypatch, rows
):
    """Calls are answered as ever, the log has one line, the memory for spans is bounded, and the
    stop does not wait; once it is there, it gets what comes then."""
    monkeypatch.setattr(export, "EVERY", 0.05)
    monkeypatch.setattr(export, "QUEUE", 200)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    tries, real = [], export.Exporter.export
    monkeypatch.setattr(
        export.Exporter, "export", lambda own, spans: tries.append(1) or real(own, spans)
    )
    nowhere = f"http://user:hunter2@127.0.0.1:{find_free_port()}"
    (speaker,) = start(Speaker, tracing={"endpoint": nowhere})
    for _ in range(300):
        call.speaker.plain(1)
    said = "takes no spans"
    eventually(lambda: [line for line in logged if said in line])
    # Several exports fail, and none of them may add a line or a span.
    eventually(lambda: call.speaker.plain(1) and len(tries) > 3, timeout=30)
    tracer = next(each for each in speaker.observers._each if isinstance(each, Tracer))
    assert len(tracer._pipeline._processor._batch_processor._queue) <= 200
    began = time.monotonic()
    speaker.stop()
    assert time.monotonic() - began < 3
    lines = [line for line in logged if "spans" in line or "opentelemetry" in line]
    assert len([line for line in lines if said in line]) == 1
    assert not any("hunter2" in line or "Traceback" in line for line in lines)


def test_a_collector_that_hangs_does_not_hold_up_the_stop(call, start, monkeypatch):
    """What has not left in a second is lost."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # which nobody accepts from
        endpoint = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        (speaker,) = start(Speaker, tracing={"endpoint": endpoint})
        call.speaker.plain(1)
        began = time.monotonic()
        speaker.stop()
        assert time.monotonic() - began < export.FLUSH + 2


def test_a_collector_that_comes_back_is_told_of(
    call, traced, collector, logged, eventually, monkeypatch
):
    """How many spans are lost is one line as well."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    collector.refusing = True
    traced(Speaker)
    call.speaker.plain(1)
    eventually(lambda: any("takes no spans" in line for line in logged))
    collector.refusing = False
    call.with_data(traceparent=sent(1)).speaker.plain(1)
    assert eventually(lambda: collector.of(trace(1)))
    eventually(lambda: any("takes spans again, at least 1 " in line for line in logged))


def test_the_stop_sends_what_is_left(call, traced, collector, monkeypatch):
    """Without waiting for the next time."""
    monkeypatch.setattr(export, "EVERY", 60)
    (speaker,) = traced(Speaker)
    call.with_data(traceparent=sent(1)).speaker.plain(1)
    assert collector.spans == []
    speaker.stop()
    assert len(collector.of(trace(1))) == 1
