"""Two instances of a service, of which one is stopped in order: nobody notices. Of one that is
killed, the other takes over what it had."""

import collections

import eventlet
import pytest

from chassis.broker.confirmed_publisher import ConfirmedPublisher
from chassis.errors import Fault
from chassis.events import relay
from tests.integration.chassis.world import Listener, Speaker
from tests.support import eventually


class Load:
    """Callers who go on until `end`; what they got, and how often each thing."""

    def __init__(self, work, callers):
        self.outcomes = collections.Counter()
        self._work = work
        self._is_over = False
        self._callers = [eventlet.spawn(self._go_on, number) for number in range(callers)]

    def _go_on(self, number):
        count = 0
        while not self._is_over:
            try:
                self._work(f"{number}-{count}")
            except Fault as fault:
                self.outcomes[fault.code] += 1
            else:
                self.outcomes["done"] += 1
            count += 1

    def go_on_for(self, count):
        """Wait until so many more have got something."""
        enough = self.outcomes.total() + count
        eventually(lambda: self.outcomes.total() >= enough, timeout=30)

    def end(self):
        self._is_over = True
        for caller in self._callers:
            caller.wait()


@pytest.mark.parametrize("seconds", [0, 0.05])
def test_a_stop_loses_no_call(start, call, rows, seconds):
    """What the stopping instance was given it does and answers; the rest goes to the other. Nothing
    is done twice, nor taken for something that may have been done."""
    doomed, _ = start(Speaker, Speaker)
    load = Load(lambda text: call.speaker.note(text, seconds), callers=40)
    for _ in range(3):
        load.go_on_for(60)
        doomed.stop()
        (doomed,) = start(Speaker)
    load.end()
    assert set(load.outcomes) == {"done"}, load.outcomes
    noted = [row.text for row in rows("SELECT text FROM notes")]
    assert len(noted) == len(set(noted)) == load.outcomes["done"]


def test_a_stop_loses_no_event(start, call, rows):
    """Nor does a handler run twice for one."""
    doomed, *_ = start(Listener, Listener, Speaker)
    load = Load(lambda text: call.speaker.say(text), callers=10)
    for _ in range(3):
        load.go_on_for(60)
        doomed.stop()
        (doomed,) = start(Listener)
    load.end()
    count = "SELECT count(*) FROM notes WHERE text LIKE 'heard%'"
    assert eventually(lambda: rows(count)[0][0] >= load.outcomes["done"])
    assert rows(count)[0][0] == load.outcomes["done"]


def test_a_killed_ones_events_are_taken_over(start, call, rows, eventually, monkeypatch):
    """At once: what it had not acknowledged is delivered to the other, and applied once."""
    begun = []

    def before(event):
        begun.append(event)
        if len(begun) == 1:
            eventlet.sleep(60)

    monkeypatch.setattr(Listener, "before", staticmethod(before))
    doomed, _ = start(Listener, Speaker)
    call.speaker.say("hello")
    eventually(lambda: begun)
    start(Listener)
    doomed.kill()
    heard = "SELECT text FROM notes WHERE text LIKE 'heard%'"
    eventually(lambda: [row.text for row in rows(heard)] == ["heard hello"], timeout=3)


def test_a_killed_ones_outbox_is_taken_over(start, call, rows, eventually, monkeypatch):
    """By the other's relay, with its next sweep after the lease."""
    deliver, begun = ConfirmedPublisher.publish, []

    def hang(publisher, messages):
        begun.append(publisher)
        if publisher is begun[0]:
            eventlet.sleep(60)
        return deliver(publisher, messages)

    monkeypatch.setattr(ConfirmedPublisher, "publish", hang)
    doomed, _ = start(Speaker, Listener)
    call.speaker.say("hello")
    eventually(lambda: begun)
    start(Speaker)
    doomed.kill()
    heard = "SELECT text FROM notes WHERE text LIKE 'heard%'"
    within = relay.LEASE + relay.SWEEP + 3
    eventually(lambda: [row.text for row in rows(heard)] == ["heard hello"], timeout=within)
