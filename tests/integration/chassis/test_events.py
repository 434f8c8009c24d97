"""Events from a commit to the handler, and what happens on the way when things go wrong."""

import time
import uuid

import eventlet
import orjson
import pika
import pytest
import requests

from chassis.broker import topology
from chassis.broker.confirmed_publisher import ConfirmedPublisher
from chassis.errors import Conflict, Fault
from chassis.events import relay
from tests.integration.chassis.world import Listener, Speaker

QUEUE = "evt-speaker-said--listener.on_said"


@pytest.fixture
def world(call, start, monkeypatch):
    """Speaker and listener, with retries that take no minutes."""
    monkeypatch.setattr(Listener, "before", staticmethod(lambda event: None))
    monkeypatch.setattr(Listener, "during", staticmethod(lambda event: None))
    start(Speaker, Listener)
    return call


@pytest.fixture
def depth(channel):
    """How many messages wait in a queue."""
    return lambda queue: channel.queue_declare(queue, passive=True).method.message_count


def put(channel, body, queue=QUEUE, exchange="", **properties):
    channel.basic_publish(exchange, queue, body, pika.BasicProperties(**properties))


def an_event(text, event_id=None, **more):
    properties = {
        "message_id": str(event_id or uuid.uuid4()),
        "content_type": "application/json",
        "headers": {"nameko.occurred_at": "2026-01-01T00:00:00+00:00"},
    }
    return orjson.dumps({"text": text}), properties | more


def test_an_event_arrives(world, heard, rows, eventually):
    """What is recorded in a transaction is handled once it is committed, and marked as sent."""
    world.speaker.say("hello")
    assert eventually(heard) == ["hello"]
    eventually(lambda: rows("SELECT 1 FROM outbox WHERE sent_at IS NOT NULL"))


def test_an_event_is_quick(monkeypatch, world, heard, eventually):
    """The relay is woken by the commit and does not wait for its sweep."""
    monkeypatch.setattr(relay, "SWEEP", 3600)
    world.speaker.say("ends the rest that was to last until the sweep")
    eventually(heard)
    world.speaker.say("quick")
    eventually(lambda: len(heard()) == 2)


def test_the_relay_gathers_what_comes_fast(world, rows, heard, eventually, monkeypatch):
    """An idle one begins at once; what is recorded within its pace goes in the next batch."""
    sizes, real = [], ConfirmedPublisher.publish

    def deliver(self, messages):
        sizes.append(len(messages))
        return real(self, messages)

    monkeypatch.setattr(ConfirmedPublisher, "publish", deliver)
    monkeypatch.setattr(relay, "PACE", 5.0)
    world.speaker.say("first")
    eventually(heard, timeout=4)
    for number in range(5):
        world.speaker.say(str(number))
    assert sizes == [1]
    eventually(lambda: len(heard()) == 6)
    assert sizes == [1, 5]


def test_an_event_that_lacks_a_field_is_none(world, rows):
    """It is a mistake of who records it, and nothing of the transaction stays."""
    with pytest.raises(Fault):
        world.speaker.say(None)
    assert rows("SELECT 1 FROM outbox UNION ALL SELECT 1 FROM notes") == []


def test_no_commit_no_event(world, heard, rows, eventually):
    """An event of a transaction that is rolled back never existed (no ghost message)."""
    with pytest.raises(Conflict):
        world.speaker.say("never", fail=True)
    assert rows("SELECT 1 FROM outbox") == []
    world.speaker.say("after")
    eventually(heard)
    assert heard() == ["after"]


def test_a_row_without_a_relay_is_sent_by_the_next(call, start, heard, rows, eventually):
    """What a crash left in the outbox goes out when an instance comes up (no zombie record)."""
    start(Speaker, Listener)[0].stop()
    rows(
        "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at) VALUES"
        " (gen_random_uuid(), 'speaker', 'said', '{\"text\": \"left\"}', '{}', now())"
        " RETURNING 1"
    )
    start(Speaker)
    assert eventually(heard) == ["left"]


def test_a_duplicate_is_applied_once(world, channel, depth, heard, eventually):
    """The same event twice, at the same time or later, is one application."""
    body, properties = an_event("once")
    for _ in range(5):
        put(channel, body, **properties)
    eventually(heard)
    put(channel, body, **properties)
    eventually(lambda: depth(QUEUE) == 0)
    body, properties = an_event("next")
    put(channel, body, **properties)
    eventually(lambda: heard() == ["once", "next"])


def test_a_failing_handler_is_called_again(world, heard, rows, eventually, monkeypatch):
    """A handler that raises is retried after a pause, and what it had written is rolled back."""
    calls = []

    def fail_once(event):
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise RuntimeError("not now")

    monkeypatch.setattr(Listener, "during", staticmethod(fail_once))
    world.speaker.say("again")
    assert eventually(heard) == ["again"]
    assert len(calls) == 2
    assert calls[1] - calls[0] >= 0.9


def test_a_poisoned_event_is_parked(call, start, channel, depth, heard, eventually, monkeypatch):
    """After the last attempt an event waits in the dead letters; others are not held up."""
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1,))
    monkeypatch.setattr(
        Listener,
        "during",
        staticmethod(lambda event: 1 / 0 if event.payload["text"] == "bad" else None),
    )
    start(Speaker, Listener)
    call.speaker.say("bad")
    call.speaker.say("good")
    assert eventually(heard) == ["good"]
    eventually(lambda: depth("listener.dead-letters") == 1)
    _, properties, body = channel.basic_get("listener.dead-letters", auto_ack=True)
    assert properties.headers["x-parked-from"] == QUEUE
    assert "ZeroDivisionError" in properties.headers["x-parked-why"]
    assert orjson.loads(body) == {"text": "bad"}


@pytest.mark.parametrize(
    ("body", "properties"),
    [
        (b"", {}),
        (b"\x00\xff garbage", {"content_type": "application/json"}),
        (b"[]", {"message_id": str(uuid.uuid4())}),
        (b'{"text": "no id"}', {}),
        (b'{"text": "bad id"}', {"message_id": "7"}),
        (b'{"other": 1}', {"message_id": str(uuid.uuid4())}),
        (b'{"text": {"__type__": "x"}}', {"message_id": str(uuid.uuid4())}),
        (b"{}", {"headers": {"x-attempts": "many", "nameko.occurred_at": 5}}),
    ],
)
def test_garbage_is_parked_at_once(world, channel, depth, heard, eventually, body, properties):
    """What is no event goes to the dead letters; the service goes on."""
    put(channel, body, **properties)
    eventually(lambda: depth("listener.dead-letters") == 1)
    world.speaker.say("fine")
    assert eventually(heard) == ["fine"]


def test_garbage_on_the_call_queue_is_parked(world, channel, depth, eventually):
    """A message that nobody waits for an answer to is kept for an operator (trap 2); so is one
    that wants an answer sent where RabbitMQ may not let us."""
    elsewhere = topology.reply_key("tester", str(uuid.uuid4()), "speaker")
    for body, properties in (
        (b"", {}),
        (b"\xff", {"content_type": "x"}),
        (b"{}", {}),
        (b'{"args": [], "kwargs": {}}', {"reply_to": "speaker.echo"}),
        (b'{"args": [], "kwargs": {}}', {"reply_to": elsewhere}),
    ):
        put(channel, body, "rpc-listener", **properties)
    eventually(lambda: depth("listener.dead-letters") == 5)
    assert world.listener.quick() == "quick"


@pytest.mark.parametrize(
    ("body", "properties"),
    [
        (b"", {}),
        (b"{}", {"content_type": "application/json"}),
        (b'{"args": {}, "kwargs": []}', {"content_type": "application/json"}),
        (b'{"args": [], "kwargs": {}}', {"content_type": "application/x-python-serialize"}),
    ],
)
def test_garbage_with_a_return_address_is_answered(world, channel, eventually, body, properties):
    """Who sends a malformed request is told so (trap 2)."""
    channel.queue_declare("answers", exclusive=True)
    reply_to = str(uuid.uuid4())
    channel.queue_bind("answers", topology.RPC_EXCHANGE, reply_to)
    address = {"reply_to": reply_to, "correlation_id": "1"}
    put(channel, body, "listener.quick", topology.RPC_EXCHANGE, **properties | address)
    answer = eventually(lambda: channel.basic_get("answers", auto_ack=True)[2])
    assert orjson.loads(answer)["error"]["code"] == "malformed_request"
    assert world.listener.quick() == "quick"


def test_garbage_on_the_reply_queue_hurts_nobody(world, channel, config, vhost):
    """A reply that is none is dropped; calls still get theirs."""
    names = [q["name"] for q in requests.get(f"{vhost.queues}?columns=name", timeout=5).json()]
    (reply_queue,) = [name for name in names if name.startswith("rpc.reply-tester")]
    for body in (b"", b"\xff", b"[]", b'{"result": 1}'):
        routing_key = f"{reply_queue.removeprefix('rpc.')}.listener"
        put(channel, body, routing_key, topology.RPC_EXCHANGE, correlation_id="who")
    assert world.listener.quick() == "quick"


def test_slow_events_do_not_delay_calls(world, eventually, monkeypatch, heard):
    """Events have their share of the workers and no more (trap 7)."""
    let_go, begun = eventlet.Event(), []

    def hang(event):
        begun.append(event)
        let_go.wait()

    monkeypatch.setattr(Listener, "before", staticmethod(hang))
    for number in range(30):
        world.speaker.say(str(number))
    eventually(lambda: begun)
    assert world.listener.quick() == "quick"
    assert len(begun) < 30
    assert heard() == []
    let_go.send()
    eventually(lambda: len(heard()) == 30)


def test_an_event_nobody_was_declared_for_stays_in_the_outbox(
    call, start, rows, channel, heard, eventually
):
    """An unroutable event is not marked as sent, and goes out once its queue is there (trap 12)."""
    start(Speaker)
    channel.queue_delete(QUEUE)
    call.speaker.say("patience")
    eventually(lambda: rows("SELECT 1 FROM outbox WHERE due_at > occurred_at"))  # it was tried
    assert rows("SELECT sent_at FROM outbox")[0].sent_at is None
    start(Listener)
    # It was put off for 5 s, and the relay looks every 3.
    assert eventually(heard, timeout=20) == ["patience"]


def test_two_instances_share_the_work(call, start, rows, heard, eventually):
    """Two relays and two handlers deliver each event once."""
    start(Speaker, Listener)
    start(Speaker, Listener)
    pool = eventlet.GreenPool(20)
    said = [str(number) for number in range(60)]
    list(pool.imap(call.speaker.say, said))
    eventually(lambda: len(heard()) >= 60)
    assert sorted(heard()) == sorted(said)
    eventually(lambda: not rows("SELECT 1 FROM outbox WHERE sent_at IS NULL"))
    assert len(rows("SELECT 1 FROM inbox")) == 60


def test_events_without_a_queue_hold_up_nobody(call, start, rows, channel, heard, eventually):
    """More unroutable events than fit a batch, and the one behind them still goes out."""
    rows(
        "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at)"
        " SELECT gen_random_uuid(), 'speaker', 'unheard', '{}', '{}', now()"
        " FROM generate_series(1, 450) RETURNING 1"
    )
    start(Speaker, Listener)
    call.speaker.say("heard")
    assert eventually(heard) == ["heard"]


def test_old_events_are_purged(call, start, rows, eventually):
    """Neither outbox nor inbox grows for ever; what was not sent stays, however old."""
    start(Speaker, Listener)[0].stop()
    rows(
        "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at, sent_at)"
        " SELECT gen_random_uuid(), 'speaker', 'old', '{}', '{}', now() - interval '1 year', sent"
        " FROM unnest(ARRAY[now() - interval '8 days', now() - interval '6 days', NULL]) AS sent"
        " RETURNING 1"
    )
    rows(
        "INSERT INTO inbox (event_id, handler, handled_at)"
        " SELECT gen_random_uuid(), 'x', now() - age * interval '1 day'"
        " FROM unnest(ARRAY[29, 31]) AS age RETURNING 1"
    )
    start(Speaker, Listener)
    eventually(lambda: len(rows("SELECT 1 FROM outbox")) == 2)
    eventually(lambda: len(rows("SELECT 1 FROM inbox")) == 1)
