"""Events by the batch: each applied once, in order, and none at the mercy of another."""

import uuid

import eventlet
import orjson
import pika
import pytest

from chassis.broker import topology
from tests.integration.chassis.world import Gatherer

QUEUE = "evt-speaker-shouted--gatherer.on_shouted"
WHISPERS = "evt-speaker-whispered--gatherer.on_shouted"
DEAD = "gatherer.dead-letters"


@pytest.fixture
def put(channel):
    """`put("text", ...)`: events in a queue of the handler."""

    def publish(*texts, event_id=None, body=None, queue=QUEUE):
        for text in texts:
            properties = pika.BasicProperties(
                message_id=str(event_id or uuid.uuid4()),
                content_type="application/json",
                headers={"nameko.occurred_at": "2026-01-01T00:00:00+00:00"},
            )
            channel.basic_publish("", queue, body or orjson.dumps({"text": text}), properties)

    return publish


@pytest.fixture
def batches(monkeypatch):
    """The sizes of the batches that were begun; the first one waits for `.go`."""
    sizes, go = [], eventlet.event.Event()

    def before(events):
        sizes.append(len(events))
        if len(sizes) == 1:
            go.wait()

    monkeypatch.setattr(Gatherer, "before", staticmethod(before))
    monkeypatch.setattr(Gatherer, "during", staticmethod(lambda events: None))
    sizes_and_go = type("Batches", (), {"sizes": sizes, "go": go})
    return sizes_and_go


@pytest.fixture
def gathered(rows):
    """What was applied, as committed."""
    return lambda: [
        row.text.removeprefix("gathered ")
        for row in rows("SELECT text FROM notes WHERE text LIKE 'gathered %' ORDER BY id")
    ]


def numbers(first, last):
    return [str(number) for number in range(first, last + 1)]


def test_what_comes_meanwhile_is_one_batch(start, put, batches, gathered, eventually, channel):
    """An idle handler begins with the first; then in batches of ten at most, in order."""
    start(Gatherer)
    put(*numbers(1, 25))
    eventually(lambda: batches.sizes)
    eventually(lambda: channel.queue_declare(QUEUE, passive=True).method.message_count == 5)
    batches.go.send()
    assert eventually(lambda: len(gathered()) == 25)
    assert gathered() == numbers(1, 25)
    assert batches.sizes[0] == 1
    assert max(batches.sizes) == 10
    assert len(batches.sizes) <= 5


def test_all_types_of_a_method_are_one_batch(start, put, batches, gathered, eventually, channel):
    """Each is read as what it is: garbage of one type is its own dead letter."""
    start(Gatherer)
    put("1")
    eventually(lambda: batches.sizes)
    put("2", "4")
    put("3", "5", queue=WHISPERS)
    put("x", body=b"{}", queue=WHISPERS)
    in_hand = lambda queue: channel.queue_declare(queue, passive=True).method.message_count == 0  # noqa: E731
    eventually(lambda: in_hand(QUEUE) and in_hand(WHISPERS))
    batches.go.send()
    eventually(lambda: len(gathered()) == 5)
    assert batches.sizes == [1, 4]
    assert [text for text in gathered() if text in "24"] == ["2", "4"]
    assert [text for text in gathered() if text in "35"] == ["3", "5"]
    parked = eventually(lambda: channel.basic_get(DEAD, auto_ack=True)[1])
    assert parked.headers["x-parked-from"] == WHISPERS


def test_one_of_another_type_that_fails_goes_back_to_its_own_queue(
    start, put, batches, gathered, eventually, channel, monkeypatch
):
    """Its tries and its dead letter are of the queue that it came from."""
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1,))

    def fail(fresh):
        if any(event.type == "whispered" for event in fresh):
            raise ZeroDivisionError

    monkeypatch.setattr(Gatherer, "during", staticmethod(fail))
    start(Gatherer)
    put("1")
    eventually(lambda: batches.sizes)
    put("2")
    put("bad", queue=WHISPERS)
    batches.go.send()
    parked = eventually(lambda: channel.basic_get(DEAD, auto_ack=True)[1])
    assert parked.headers["x-parked-from"] == WHISPERS
    assert gathered() == ["1", "2"]


def test_a_duplicate_is_applied_once(start, put, batches, gathered, eventually, rows):
    """In the same batch, in a later one, and by another instance."""
    batches.go.send()
    start(Gatherer)
    start(Gatherer)
    twice = uuid.uuid4()
    put("a", "a", "a", event_id=twice)
    put("b")
    eventually(lambda: len(gathered()) == 2)
    put("a", event_id=twice)
    put("c")
    eventually(lambda: len(gathered()) == 3)
    assert sorted(gathered()) == ["a", "b", "c"]
    assert len(rows("SELECT 1 FROM inbox")) == 3


def test_one_that_fails_holds_up_no_other(
    start, put, batches, gathered, eventually, channel, monkeypatch
):
    """The batch is rolled back and each event tried alone; the one goes to the dead letters."""
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1,))

    def fail(fresh):
        if any(event.payload["text"] == "5" for event in fresh):
            raise ZeroDivisionError

    monkeypatch.setattr(Gatherer, "during", staticmethod(fail))
    start(Gatherer)
    put(*numbers(1, 12))
    eventually(lambda: batches.sizes)
    batches.go.send()
    parked = eventually(lambda: channel.basic_get(DEAD, auto_ack=True)[1])
    assert "ZeroDivisionError" in parked.headers["x-parked-why"]
    assert sorted(gathered(), key=int) == [n for n in numbers(1, 12) if n != "5"]
    assert channel.queue_declare(QUEUE, passive=True).method.message_count == 0


def test_what_is_no_event_is_parked_and_the_rest_of_the_batch_goes_on(
    start, put, batches, gathered, eventually, channel
):
    """Garbage between events, and garbage alone."""
    start(Gatherer)
    put("1")
    eventually(lambda: batches.sizes)
    put("x", body=b"\xff")
    put("2")
    put("x", body=b"[]")
    batches.go.send()
    eventually(lambda: gathered() == ["1", "2"])
    put("x", body=b"{}")
    eventually(lambda: channel.queue_declare(DEAD, passive=True).method.message_count == 3)
    put("3")
    eventually(lambda: gathered() == ["1", "2", "3"])


def test_what_was_not_settled_is_delivered_again(start, put, batches, gathered, eventually, rows):
    """An instance that is killed with a batch in hand leaves all of it to the next."""
    (dying,) = start(Gatherer)
    put(*numbers(1, 15))
    eventually(lambda: batches.sizes)
    dying.kill()
    start(Gatherer)
    eventually(lambda: len(gathered()) == 15)
    assert sorted(gathered(), key=int) == numbers(1, 15)
