"""What is away is told when it goes, now and then, and when it is back."""

import logging

import pytest

from chassis import outages
from chassis.errors import Fault, Unavailable
from chassis.outages import REMIND, SETTLED, Outage


@pytest.fixture
def world(caplog):
    caplog.set_level(logging.DEBUG)
    return World(caplog)


class World:
    def __init__(self, caplog):
        self.now = 0.0
        self.outage = Outage("the database", clock=lambda: self.now)
        self._caplog = caplog

    def fail(self, reason="refused"):
        return self.outage.failed(Unavailable(), reason)

    @property
    def said(self):
        return [record.getMessage() for record in self._caplog.records]


def test_one_line_when_it_goes_and_one_when_it_is_back(world):
    """However much fails in between, and with how much that was."""
    for _ in range(1000):
        world.fail()
        world.now += 0.02
    world.outage.works()
    world.now += SETTLED
    world.outage.works()
    world.outage.works()
    assert world.said == [
        "the database is away: refused",
        "the database is back after 20.0 s, 1000 pieces of work failed",
    ]


def test_what_stays_away_is_told_now_and_then(world):
    """With the latest reason, and no more often than every `REMIND` seconds."""
    world.fail()
    for _ in range(10):
        world.now += REMIND / 4
        world.fail("starting up")
    assert world.said[1:] == [
        "the database is still away after 30 s, 5 pieces of work failed: starting up",
        "the database is still away after 60 s, 9 pieces of work failed: starting up",
    ]


def test_one_that_serves_some_and_refuses_others_is_one_outage(world):
    """Nothing is told of a return that does not last."""
    for _ in range(20):
        world.fail()
        world.now += SETTLED / 2
        world.outage.works()
    assert world.said == ["the database is away: refused"]


def test_what_was_lost_without_work_is_told_too(world):
    """A connection that nobody used."""
    world.outage.lost("closed")
    world.now += 5
    world.outage.works()
    world.now += SETTLED
    world.outage.works()
    assert world.said[1:] == ["the database is back after 5.0 s, 0 pieces of work failed"]


def test_a_second_outage_counts_anew(world):
    """And what works all along is no news."""
    world.outage.works()
    for _ in range(2):
        world.fail()
        world.outage.works()
        world.now += SETTLED
        world.outage.works()
    assert world.said == 2 * [
        "the database is away: refused",
        "the database is back after 0.0 s, 1 piece of work failed",
    ]


def test_only_what_was_told_is_known(world):
    """Other faults, and all other errors, are somebody else's to log."""
    assert outages.is_logged(world.fail())
    assert not any(map(outages.is_logged, (None, Fault(), Unavailable(), KeyError("is_logged"))))


def test_a_reason_is_one_line_with_an_end(world):
    """libpq's have several."""
    world.fail("connection refused\n\tIs the server running?\n")
    world.now += REMIND
    world.fail(1000 * "!")
    assert world.said[0] == "the database is away: connection refused"
    assert world.said[1].endswith("!…")
    assert len(world.said[1]) < 300
