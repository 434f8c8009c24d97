"""The broker or the database goes away: callers are told in time, nothing acknowledged is lost,
and everything recovers by itself."""

import time

import eventlet
import pytest

from chassis import database as databases
from chassis.errors import DeadlineExceeded, Fault, ServiceUnavailable, Unavailable
from tests.integration.chassis.world import Listener, Middle, Speaker


@pytest.fixture
def heard(rows):
    return lambda: [
        row.text for row in rows("SELECT text FROM notes WHERE text LIKE 'heard%' ORDER BY id")
    ]


def test_half_a_minute_without_the_broker(broker, call, start, heard, rows, eventually):
    """With a reply due and events under way (trap 4), calls fail in time, and all comes back."""
    speaker, listener, middle = start(Speaker, Listener, Middle)
    assert call.middle.pass_on("plain", 1) == [1, 2]
    due = eventlet.spawn(_outcome, lambda: call.speaker.slow(2))
    eventlet.sleep(0.2)
    broker.cut()
    until = time.monotonic() + 30  # with stock Nameko, 20 s end the process
    assert isinstance(due.wait(), Fault)
    while time.monotonic() < until:
        began = time.monotonic()
        assert isinstance(_outcome(lambda: call.with_timeout(1).speaker.plain(1)), Unavailable)
        assert time.monotonic() - began < 5
        eventlet.sleep(1)
    # An event is recorded while the broker is away, for the database is not.
    rows(
        "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at) VALUES"
        " (gen_random_uuid(), 'speaker', 'said', '{\"text\": \"meanwhile\"}', '{}', now())"
        " RETURNING 1"
    )
    broker.mend()
    eventually(lambda: _outcome(lambda: call.middle.pass_on("plain", 1)) == [1, 2], timeout=15)
    assert eventually(heard, timeout=15) == ["heard meanwhile"]
    for container in (speaker, listener, middle):
        assert not container._died.ready()


def test_a_short_cut_is_mended(broker, call, start, eventually):
    """A cut connection is opened again within seconds, and calls in flight fail at once."""
    start(Speaker)
    due = eventlet.spawn(_outcome, lambda: call.speaker.slow(5))
    eventlet.sleep(0.1)
    broker.cut()
    began = time.monotonic()
    assert isinstance(due.wait(), Unavailable)
    assert time.monotonic() - began < 4  # and not when the callee is done, after 5 s
    broker.mend()
    eventually(lambda: _outcome(lambda: call.speaker.plain(1)) == [1, 2], timeout=8)


def test_a_broker_that_stops_answering(broker, call, start, eventually):
    """A frozen broker (half-open connection) ends in deadlines, not in hanging callers."""
    start(Speaker)
    assert call.speaker.plain(1) == [1, 2]
    broker.freeze()
    began = time.monotonic()
    assert isinstance(_outcome(lambda: call.with_timeout(0.5).speaker.plain(1)), Fault)
    assert time.monotonic() - began < 5
    broker.mend()
    eventually(lambda: _outcome(lambda: call.speaker.plain(1)) == [1, 2])


def test_services_start_before_the_broker(broker, config, call, start, eventually):
    """A broker that comes up after the services is waited for (trap 14)."""
    broker.cut()
    starting = eventlet.spawn(start, Speaker)
    eventlet.sleep(0.5)  # it tries in vain meanwhile, of which nothing is to be seen but the log
    assert not starting.dead
    broker.mend()
    starting.wait()
    eventually(lambda: _outcome(lambda: call.speaker.plain(1)) == [1, 2])


def test_an_event_in_hand_survives_the_broker(broker, call, start, heard, eventually, monkeypatch):
    """A handler that is at work when the connection goes is not applied twice."""
    deliveries, let_go = [], eventlet.Event()
    monkeypatch.setattr(Listener, "before", staticmethod(deliveries.append))
    monkeypatch.setattr(Listener, "during", staticmethod(lambda event: let_go.wait()))
    _, listener = start(Speaker, Listener)
    call.speaker.say("once")
    eventually(lambda: deliveries)
    broker.cut()
    broker.mend()
    eventually(lambda: len(deliveries) == 2)  # for nobody has acknowledged it
    let_go.send()
    eventually(lambda: not listener._worker_threads)
    assert {event.id for event in deliveries} == {deliveries[0].id}
    assert heard() == ["heard once"]


def test_the_database_is_restarted(database, call, start, heard, eventually):
    """Without the database callers get 503 in time; with it all goes on, events included."""
    start(Speaker, Listener, **database.settings)
    call.speaker.say("before")
    eventually(heard)
    database.cut()
    began = time.monotonic()
    for method in ("say", "note"):
        with pytest.raises(Unavailable):
            getattr(call.speaker, method)("lost")
    with pytest.raises(Unavailable):
        call.speaker.health()
    assert call.speaker.plain(1) == [1, 2]
    assert time.monotonic() - began < 5
    database.mend()
    eventually(lambda: not isinstance(_outcome(lambda: call.speaker.say("after")), Fault))
    eventually(lambda: heard() == ["heard before", "heard after"], timeout=15)


def test_a_handler_waits_out_the_database(database, call, start, heard, eventually, monkeypatch):
    """An event that comes while the database is away is applied once it is back."""
    tries = []
    monkeypatch.setattr(Listener, "before", staticmethod(tries.append))
    start(Speaker)
    start(Listener, **database.settings)
    database.cut()
    call.speaker.say("patience")
    eventually(lambda: tries)
    database.mend()
    assert eventually(heard, timeout=15) == ["heard patience"]


def test_a_database_that_stops_answering(database, call, start, eventually):
    """A frozen server ends in a deadline and gives the worker back."""
    start(Speaker, max_workers=4, **database.settings)
    database.freeze()
    caller = call.with_timeout(0.5)
    pool = eventlet.GreenPool(10)
    outcomes = list(pool.imap(lambda n: _outcome(lambda: caller.speaker.note(str(n))), range(10)))
    assert all(isinstance(outcome, Fault) for outcome in outcomes)
    assert call.speaker.plain(1) == [1, 2]
    database.mend()
    eventually(lambda: not isinstance(_outcome(lambda: call.speaker.note("on")), Fault))


def test_a_statement_has_a_timeout(call, start):
    """A statement that runs away is ended by the server, and told as a deadline."""
    start(Speaker, DB_STATEMENT_TIMEOUT=0.3)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        call.speaker.sleep_in_database(5)
    assert time.monotonic() - began < 4


def test_the_pool_fits_the_workers(call, start, eventually):
    """As many workers as there are can use the database at once (trap 11)."""
    (speaker,) = start(Speaker, max_workers=16)
    calls = [eventlet.spawn(call.speaker.sleep_in_database, 1) for _ in range(11)]
    eventually(lambda: databases.database_of(speaker).engine.pool.checkedout() == 11)
    for each in calls:
        each.wait()


def test_connections_that_die_unnoticed_make_room_for_others(call, start):
    """One that the server ends between a statement and its return does not take its place in the
    pool with it."""
    (speaker,) = start(Speaker, max_workers=4)
    for _ in range(5):
        for _ in range(6):  # the driver behaves differently with a connection that it knows
            _outcome(lambda: call.speaker.sleep_in_database(0))
        _outcome(call.speaker.lose_connection)
        assert databases.database_of(speaker).engine.pool.checkedout() == 0


def test_a_stopping_service_finishes_what_it_took(call, start, eventually):
    """A call in hand at SIGTERM is answered; later ones are not taken (trap 9)."""
    (container,) = start(Speaker)
    due = eventlet.spawn(_outcome, lambda: call.speaker.slow(1))
    eventually(lambda: container._worker_threads)
    container.stop()
    assert due.wait() == 1
    with pytest.raises(ServiceUnavailable):
        call.with_timeout(0.3).speaker.plain(1)


def test_a_stop_waits_no_longer_than_it_says(call, start, eventually):
    """A call that takes for ever does not keep a service from stopping (trap 9)."""
    (container,) = start(Speaker, STOP_TIMEOUT=0.5)
    due = eventlet.spawn(_outcome, lambda: call.with_timeout(2).speaker.slow(30))
    eventually(lambda: container._worker_threads)
    began = time.monotonic()
    container.stop()
    assert time.monotonic() - began < 5
    assert isinstance(due.wait(), Fault)


def _outcome(function):
    """What `function` returns, or the fault that it raises."""
    try:
        return function()
    except Fault as fault:
        return fault
