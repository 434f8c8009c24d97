"""What the log says while the database or the broker is away: a few lines, whatever fails."""

import logging

import eventlet
import pytest
import sqlalchemy as sa

from chassis import outages
from chassis.database import Database
from chassis.errors import Fault
from chassis.events import event_handler
from chassis.rpc import rpc
from chassis.timers import timer
from tests.integration.chassis.world import Base, Note, Said, Speaker


class Ticker(Speaker):
    """Needs its database all the time, in each way that a service can."""

    name = "ticker"
    db = Database(Base, package="chassis")
    is_broken = False

    @timer(interval=0.05)
    def tick(self):
        if type(self).is_broken:
            raise KeyError("a mistake of ours")
        with self.db.begin() as session:
            session.execute(sa.select(Note.id).limit(1))

    @timer(interval=0.05)
    def look(self):
        with self.db.autocommit() as connection:
            connection.execute(sa.text("SELECT 1"))

    @timer(interval=0.1)
    def tell(self):
        with self.db.begin() as session:
            self.events.record(session, "said", {"text": "tick"})

    @event_handler("ticker", "said", Said)
    def on_said(self, event):
        with self.db.once(event):
            pass

    @rpc
    def reach(self):
        with self.db.autocommit() as connection:
            return connection.execute(sa.text("SELECT 1")).scalar()


@pytest.fixture
def said(caplog, monkeypatch):
    """The log's warnings and errors, from now on; what is away is reminded of each second."""
    monkeypatch.setattr(outages, "REMIND", 1.0)
    monkeypatch.setattr(outages, "SETTLED", 0.5)
    monkeypatch.setattr(Ticker, "is_broken", False)
    caplog.set_level(logging.WARNING)
    return lambda: [_formatted(record) for record in caplog.records]


@pytest.mark.timeout(120)
def test_a_database_that_is_away(database, call, start, said, eventually):
    """Timers, the relay, handlers, calls: a line when it goes, one a while, one at the return."""
    start(Ticker, **database.settings)
    eventually(lambda: call.ticker.reach() == 1)
    before = len(said())
    database.cut()
    for _ in range(30):
        assert isinstance(_outcome(call.ticker.reach), Fault)
        eventlet.sleep(0.1)
    database.mend()
    eventually(lambda: "is back" in said()[-1], timeout=15)
    lines = said()[before:]
    assert "Traceback" not in "".join(lines)
    seconds = float(lines[-1].partition("is back after ")[2].partition(" s,")[0])
    assert len(lines) <= 2 + seconds, "\n".join(lines)
    assert lines[0].startswith("the database of chassis is away: ")
    assert all("is still away after" in line for line in lines[1:-1])
    failed = int(lines[-1].split(", ")[1].split()[0])
    assert failed > 60  # of what three timers, the calls and the relay have tried


@pytest.mark.timeout(120)
def test_a_mistake_is_logged_whatever_is_away(database, start, said, eventually):
    """An outage hides no error of ours."""
    start(Ticker, **database.settings)
    database.cut()
    eventually(lambda: any("is away" in line for line in said()))
    Ticker.is_broken = True
    eventually(lambda: any("Traceback" in line and "a mistake" in line for line in said()))


@pytest.mark.timeout(120)
def test_a_broker_that_is_away(broker, call, start, said, eventually):
    """Its connections, calls, replies and the relay."""
    start(Ticker)
    assert eventually(lambda: call.ticker.plain(1)) == [1, 2]
    before = len(said())
    broker.cut()
    for _ in range(40):
        assert isinstance(_outcome(lambda: call.with_timeout(0.2).ticker.plain(1)), Fault)
    broker.mend()
    eventually(lambda: "is back" in said()[-1], timeout=20)
    eventually(lambda: _outcome(lambda: call.ticker.plain(1)) == [1, 2])
    eventlet.sleep(1.5)  # time for the relay to use what it had before
    lines = said()[before:]
    assert "Traceback" not in "".join(lines)
    assert len(lines) <= 16, "\n".join(lines)
    assert lines[0].startswith("RabbitMQ is away: ")
    assert all("is still away after" in line for line in lines[1:-1]), "\n".join(lines)
    assert "pieces of work failed" in lines[-1]


def test_a_stop_tells_nothing_of_its_pool(call, start, caplog):
    """That its connections are closed is no news at the level that shops run at."""
    (ticker,) = start(Ticker)
    call.ticker.reach()
    caplog.set_level(logging.INFO)
    ticker.stop()
    assert [record for record in caplog.records if "pool" in record.getMessage().lower()] == []


def _outcome(function):
    """What `function` returns, or the fault that it raises."""
    try:
        return function()
    except Fault as fault:
        return fault


def _formatted(record):
    """As a terminal shows it, traceback included."""
    return logging.Formatter("%(message)s").format(record)
