"""The relay: events go from memory to the broker, and by the sweep when a process could not."""

import collections
import threading

import eventlet
import pytest
import sqlalchemy as sa

from chassis.broker.confirmed_publisher import ConfirmedPublisher
from chassis.broker.connection import BrokerUnavailable
from chassis.database import database_of
from chassis.events import relay
from chassis.events.outbox import WAITING, EventOutbox
from tests.integration.chassis.world import Listener, Speaker

#: Seconds until another process has published what one has left.
TAKEN_OVER = relay.LEASE + relay.SWEEP + 5


@pytest.fixture
def unsent(rows):
    """How many rows are not marked."""
    return lambda: rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0]


@pytest.fixture
def published(monkeypatch):
    """How often each text has gone to the broker, whatever came of it."""
    count, real = collections.Counter(), ConfirmedPublisher.publish

    def publish(self, messages):
        count.update(message.body.decode() for message in messages)
        return real(self, messages)

    monkeypatch.setattr(ConfirmedPublisher, "publish", publish)
    return count


@pytest.fixture
def no_sweep(monkeypatch):
    """Only what is in memory is published, but for a sweep at the start."""
    monkeypatch.setattr(relay, "SWEEP", 3600)


def asked(container):
    """The statements about the outbox from now on, each with whether it is alone."""
    statements = []

    def note(connection, cursor, statement, *_):
        if "outbox" in statement:
            statements.append((statement, cursor.connection.autocommit))

    sa.event.listen(database_of(container).engine, "before_cursor_execute", note)
    return statements


def say_all(call, texts):
    list(eventlet.GreenPool(20).imap(call.speaker.say, texts))


def test_many_events_are_marked_by_few_statements(
    start, call, heard, unsent, eventually, monkeypatch, no_sweep
):
    """Nothing is read back; each is one row of an INSERT, and a mark is shared."""
    monkeypatch.setattr(relay, "SOON", 2)
    speaker, _ = start(Speaker, Listener)
    call.speaker.say("first")
    eventually(lambda: heard() and not unsent())
    statements = asked(speaker)
    said = [str(number) for number in range(100)]
    say_all(call, said)
    eventually(lambda: len(heard()) == 101 and not unsent())
    kinds = collections.Counter("INSERT" in statement for statement, _ in statements)
    assert kinds[True] == 100
    assert kinds[False] < 20
    assert all("UPDATE" in one or "INSERT" in one for one, _ in statements)


def test_events_go_in_the_order_of_their_commits(start, call, heard, eventually, monkeypatch):
    """As long as one process records them and the broker takes them."""
    monkeypatch.setattr(relay, "BATCH", 3)
    start(Speaker, Listener)
    order, real = [], ConfirmedPublisher.publish

    def publish(self, messages):
        order.extend(message.body.decode() for message in messages)
        return real(self, messages)

    monkeypatch.setattr(ConfirmedPublisher, "publish", publish)
    for number in range(20):
        call.speaker.say(str(number))
    eventually(lambda: len(heard()) == 20)
    assert order == [f'{{"text":"{number}"}}' for number in range(20)]


def test_an_idle_sweep_is_one_statement(start, call, heard, unsent, eventually, monkeypatch):
    """Without a transaction around it."""
    monkeypatch.setattr(relay, "SWEEP", 0.05)
    speaker, _ = start(Speaker, Listener)
    call.speaker.say("first")
    eventually(lambda: heard() and not unsent())
    statements = asked(speaker)
    eventually(lambda: len(statements) > 5)
    assert all(statement.startswith("SELECT EXISTS") for statement, _ in statements)
    assert all(is_alone for _, is_alone in statements)


def test_what_is_taken_back_is_not_published(start, call, heard, rows, eventually, published):
    """Not by memory either, which does not know of savepoints."""
    start(Speaker, Listener)
    call.speaker.take_back("never")
    call.speaker.say("after")
    eventually(lambda: heard() == ["after"])
    assert list(published) == ['{"text":"after"}']
    assert len(rows("SELECT 1 FROM outbox")) == 1


def test_a_death_between_commit_and_publishing(
    start, call, heard, unsent, eventually, monkeypatch, published
):
    """Another process publishes it, when it can't be in the hands of the first any more."""
    start(Speaker, Listener)
    with monkeypatch.context() as death:
        death.setattr(EventOutbox, "hand_over", lambda *_: None)
        call.speaker.say("left")
    eventlet.sleep(relay.LEASE / 2)
    assert heard() == []
    assert eventually(heard, timeout=TAKEN_OVER) == ["left"]
    eventually(lambda: not unsent())
    assert set(published.values()) == {1}


def test_a_death_between_publishing_and_the_mark(
    start, call, rows, heard, unsent, eventually, monkeypatch, published
):
    """It comes again, which its handler notices."""
    monkeypatch.setattr(relay, "SOON", 3600)
    doomed, _ = start(Speaker, Listener)
    call.speaker.say("twice")
    eventually(heard)
    doomed.kill()
    assert unsent() == 1
    start(Speaker)
    eventually(lambda: not unsent(), timeout=TAKEN_OVER)
    assert published == {'{"text":"twice"}': 2}
    call.speaker.say("next")
    eventually(lambda: len(heard()) == 2)
    assert heard() == ["twice", "next"]


def test_a_stop_publishes_and_marks(start, call, heard, unsent, eventually, monkeypatch, no_sweep):
    """What is committed by then is not left to others."""
    monkeypatch.setattr(relay, "SOON", 3600)
    monkeypatch.setattr(relay, "PACE", 3)
    monkeypatch.setattr(relay, "PATIENCE", 60)
    speaker, _ = start(Speaker, Listener)
    call.speaker.say("begins the pace")
    eventually(heard)
    for number in range(5):
        call.speaker.say(str(number))
    assert unsent() == 6
    speaker.stop()
    assert unsent() == 0
    eventually(lambda: len(heard()) == 6)


def test_memory_has_a_bound(start, call, heard, unsent, eventually, monkeypatch, published):
    """What is beyond it goes by the sweep, each once all the same."""
    monkeypatch.setattr(relay, "MEMORY", 5)
    monkeypatch.setattr(relay, "PACE", 0.5)
    monkeypatch.setattr(relay, "SOON", 0)
    start(Speaker, Listener)
    said = [str(number) for number in range(40)]
    say_all(call, said)
    eventlet.sleep(1)
    assert unsent() > 0
    eventually(lambda: len(heard()) == 40 and not unsent(), timeout=TAKEN_OVER)
    assert sorted(heard()) == sorted(said)
    assert set(published.values()) == {1}


@pytest.fixture
def away(monkeypatch):
    """`away.set()`: the broker answers no relay from now on; `away.clear()`: it does again."""
    is_away, real = threading.Event(), ConfirmedPublisher.publish

    def publish(self, messages):
        if is_away.is_set():
            raise BrokerUnavailable(retry_after=1)
        return real(self, messages)

    monkeypatch.setattr(ConfirmedPublisher, "publish", publish)
    return is_away


def test_a_moment_without_the_broker(
    start, call, heard, unsent, eventually, monkeypatch, away, published, no_sweep
):
    """Memory outlasts it, and no sweep is needed."""
    monkeypatch.setattr(relay, "PATIENCE", 60)
    start(Speaker, Listener)
    away.set()
    for text in "abc":
        call.speaker.say(text)
    eventually(lambda: published['{"text":"a"}'] > 1)
    assert unsent() == 3
    away.clear()
    eventually(lambda: len(heard()) == 3 and not unsent())
    assert sorted(heard()) == ["a", "b", "c"]


def test_longer_without_the_broker(
    start, call, heard, unsent, eventually, monkeypatch, away, published
):
    """Memory is freed of what waits for too long; the sweep publishes it once that is possible."""
    monkeypatch.setattr(relay, "PATIENCE", 0.2)
    start(Speaker, Listener)
    away.set()
    for text in "abc":
        call.speaker.say(text)
    eventlet.sleep(relay.LEASE)
    away.clear()
    published.clear()
    call.speaker.say("d")
    eventually(lambda: len(heard()) == 4 and not unsent(), timeout=TAKEN_OVER)
    assert sorted(heard()) == ["a", "b", "c", "d"]
    assert set(published.values()) == {1}


def test_two_instances_publish_each_event_once(start, call, heard, unsent, eventually, published):
    """What one has in hand, no sweep of the other takes."""
    start(Speaker, Listener)
    start(Speaker, Listener)
    say_all(call, [str(number) for number in range(60)])
    eventually(lambda: len(heard()) == 60 and not unsent())
    eventlet.sleep(relay.SWEEP)
    assert set(published.values()) == {1}


def test_what_is_not_marked_yet_is_not_called_late(
    start, call, rows, heard, eventually, monkeypatch
):
    """The gauges tell of what waits, not of what is in the hands of its process."""
    monkeypatch.setattr(relay, "SOON", 3600)
    monkeypatch.setattr(relay, "SWEEP", 3600)
    start(Speaker, Listener)
    call.speaker.say("hello")
    eventually(heard)
    found = rows(WAITING.statement, most=100)[0]
    assert (found.outbox_unsent, found.outbox_refused) == (0, 0)
    assert found.outbox_oldest_seconds is None
    later = rows(WAITING.statement.replace("now()", "(now() + interval '1 minute')"), most=100)[0]
    assert (later.outbox_unsent, later.outbox_refused) == (1, 0)
    assert later.outbox_oldest_seconds > 59
