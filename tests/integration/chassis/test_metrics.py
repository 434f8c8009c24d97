"""What a process tells Prometheus of its calls, events, database and loop."""

import time
import uuid

import eventlet
import orjson
import pika
import pytest
import sqlalchemy as sa

from chassis.broker import topology
from chassis.broker.outbound import BrokerUnavailable, Outbound
from chassis.errors import Fault, Unavailable
from chassis.metrics import database
from tests.integration.chassis.world import Listener, Middle, Speaker
from tests.proxy import Proxy

QUEUE = "evt-speaker-said--listener.on_said"


@pytest.fixture
def world(scrape, call, start, monkeypatch):
    """Speaker and listener, asked for figures as often as one likes."""
    monkeypatch.setattr(Listener, "before", staticmethod(lambda event: None))
    monkeypatch.setattr(Listener, "during", staticmethod(lambda event: None))
    monkeypatch.setattr(database, "FRESH", 0)
    start(Speaker, Listener)
    return call


def publish(channel, body, event_id=None):
    properties = pika.BasicProperties(
        message_id=str(event_id or uuid.uuid4()),
        content_type="application/json",
        headers={"nameko.occurred_at": "2026-01-01T00:00:00+00:00"},
    )
    channel.basic_publish("", QUEUE, body, properties)


def test_calls_by_outcome(world, scrape):
    """Rate, errors and duration of each method, as its service and as its caller see them."""
    before = scrape()
    world.speaker.plain(1)
    world.speaker.slow(0.3)
    for method in ("full", "broken", "unsendable", "unknown"):
        with pytest.raises(Exception):  # noqa: B017, PT011  (whatever it is)
            getattr(world.speaker, method)()
    grown = scrape.since(before)

    def work(method, outcome):
        names = {"service": "speaker", "kind": "rpc", "entrypoint": method}
        return grown("shop_work_total", **names, outcome=outcome)

    assert work("plain", "ok") == work("slow", "ok") == 1
    assert work("full", "refused") == work("broken", "failed") == 1
    assert grown("shop_rpc_rejected_total", service="speaker") == 1
    slow = {"service": "speaker", "entrypoint": "slow"}
    assert 0.3 < grown("shop_work_seconds_sum", **slow) < 1
    assert grown("shop_work_seconds_bucket", le="0.25", **slow) == 0
    assert grown("shop_work_seconds_bucket", le="2.5", **slow) == 1
    theirs = {"service": "tester", "target": "speaker"}
    assert grown("shop_rpc_calls_total", outcome="ok", **theirs) == 2
    assert grown("shop_rpc_calls_total", outcome="refused", **theirs) == 1
    assert grown("shop_rpc_calls_total", outcome="failed", **theirs) == 3
    assert grown("shop_rpc_call_seconds_sum", **theirs) > 0.3


def test_a_call_that_is_never_sent(world, scrape, monkeypatch):
    """It has failed for its caller, whether there is no connection or the broker is blocked."""

    def blocked(*arguments, **properties):
        raise BrokerUnavailable

    before, theirs = scrape(), {"service": "tester", "target": "speaker", "outcome": "failed"}
    monkeypatch.setattr(Outbound, "publish", blocked)
    with pytest.raises(BrokerUnavailable):
        world.speaker.plain(1)
    assert scrape.since(before)("shop_rpc_calls_total", **theirs) == 1
    monkeypatch.setattr(Outbound, "await_connection", lambda outbound, patience: False)
    with pytest.raises(BrokerUnavailable):
        world.speaker.plain(1)
    assert scrape.since(before)("shop_rpc_calls_total", **theirs) == 2


def test_an_event_from_its_record_to_its_handler(world, scrape, rows, eventually):
    """Published, confirmed and handled, with the time that each took."""
    before = scrape()
    world.speaker.say("hello")
    eventually(lambda: rows("SELECT 1 FROM notes WHERE text = 'heard hello'"))
    eventually(lambda: rows("SELECT 1 FROM outbox WHERE sent_at IS NOT NULL"))
    grown = scrape.since(before)
    assert grown("shop_events_published_total", service="speaker", event="said") == 1
    assert grown("shop_outbox_lag_seconds_bucket", service="speaker", le="2.5") == 1
    handler = {"service": "listener", "entrypoint": "on_said"}
    assert grown("shop_event_age_seconds_bucket", event="speaker.said", le="2.5", **handler) == 1
    assert eventually(lambda: scrape.since(before)("shop_work_total", outcome="ok", **handler)) == 1


def test_repeats_retries_and_dead_letters(world, scrape, channel, eventually, monkeypatch):
    """What was applied before counts as a repeat; what fails is counted each time, and once when it
    is parked."""
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1,))
    monkeypatch.setattr(Listener, "during", staticmethod(_fail_with_bad))
    before, event_id = scrape(), uuid.uuid4()
    for text in ("good", "good", "bad"):
        publish(channel, orjson.dumps({"text": text}), event_id if text == "good" else None)
    publish(channel, b"no event")
    of_service = {"service": "listener"}
    eventually(
        lambda: (
            scrape.since(before)("shop_dead_letters_total", service="listener", queue=QUEUE) == 2
        )
    )
    grown = scrape.since(before)
    assert grown("shop_event_retries_total", **of_service) == 1
    assert grown("shop_work_total", outcome="failed", **of_service) == 2
    assert grown("shop_work_total", outcome="repeated", **of_service) == 1
    assert grown("shop_work_total", outcome="ok", **of_service) == 1
    assert grown("shop_event_age_seconds_bucket", le="1800.0", **of_service) == 0  # years old


def test_an_event_that_nobody_takes(world, scrape, rows, channel, eventually):
    """It counts as refused, and the outbox tells how long it has waited."""
    channel.exchange_delete("nowhere.events")
    channel.exchange_declare("nowhere.events", "topic", durable=True)
    before = scrape()
    rows(
        "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at) VALUES"
        " (gen_random_uuid(), 'nowhere', 'said', '{}', '{}', now() - interval '1 hour') RETURNING 1"
    )
    world.speaker.say("wake the relay")
    eventually(lambda: scrape.since(before)("shop_events_refused_total", service="nowhere") >= 1)
    samples = scrape()
    assert samples.value("shop_outbox_unsent", service="speaker") == 1
    assert samples.value("shop_outbox_refused", service="speaker") == 1
    assert 3600 <= samples.value("shop_outbox_oldest_seconds", service="speaker") < 3660
    assert samples.value("shop_database_up", service="speaker") == 1


def test_figures_are_asked_for_now_and_then(world, scrape, monkeypatch):
    """However often we are asked, the database is asked once in some seconds."""
    scrape()
    asked = []
    real = database.QueryCollector._query
    monkeypatch.setattr(database.QueryCollector, "_query", lambda own: asked.append(1) or real(own))
    monkeypatch.setattr(database, "FRESH", 60)
    for _ in range(3):
        assert scrape().value("shop_database_up", service="speaker") == 1
    assert not asked
    monkeypatch.setattr(database, "FRESH", 0)
    scrape()
    assert len(asked) == 2  # speaker and listener


def test_a_database_that_is_away_is_told(scrape, call, start, chassis_database, monkeypatch):
    """The answer comes within two seconds, on a machine with nothing else to do, with `up` 0 and no
    figure that may be old."""
    monkeypatch.setattr(database, "FRESH", 0)
    url = sa.make_url(chassis_database)
    proxy = Proxy((url.host, url.port))
    through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(False)
    start(Speaker, DATABASE_URL=through)
    assert scrape().value("shop_database_up", service="speaker") == 1
    try:
        for fault in (proxy.freeze, proxy.cut):
            fault()
            began = time.monotonic()
            samples = scrape()
            assert time.monotonic() - began < 4
            assert samples["shop_database_up"] == {frozenset({("service", "speaker")}): 0}
            assert not samples["shop_outbox_unsent"]
            assert samples.value("shop_workers", service="speaker") > 0
            if fault == proxy.freeze:
                proxy.mend()
    finally:
        proxy.close()


def test_a_pool_without_a_free_connection(scrape, call, start, monkeypatch, eventually):
    """Who waits for one, and who waited in vain, is counted."""
    start(Speaker, DB_ENGINE_OPTIONS={"pool_size": 1, "pool_timeout": 1})
    monkeypatch.setattr(database, "FRESH", 0)
    before = scrape()
    sleeping = [
        eventlet.spawn(_outcome, call.speaker.sleep_in_database, seconds) for seconds in (2, 2)
    ]

    def is_short():
        samples = scrape()
        assert samples.value("shop_database_pool_checked_out", service="speaker") == 1
        return samples.value("shop_database_pool_waiting", service="speaker") >= 1

    eventually(is_short)
    outcomes = [each.wait() for each in sleeping]
    assert sum(isinstance(each, Unavailable) for each in outcomes) == 1
    grown = scrape.since(before)
    assert grown("shop_database_pool_waits_total", service="speaker") >= 1
    assert grown("shop_database_pool_timeouts_total", service="speaker") >= 1


def test_a_loop_that_is_held_up(scrape, call, start, eventually):
    """Work that never waits shows as lateness."""
    start(Middle)
    eventlet.sleep(0.3)
    before = scrape()
    until = time.perf_counter() + 0.6
    while time.perf_counter() < until:
        pass

    def late(grown):
        lags = "shop_event_loop_lag_seconds"
        return grown(f"{lags}_count") - grown(f"{lags}_bucket", le="0.25")

    eventually(lambda: late(scrape.since(before)) >= 1)


def test_connections_and_workers(world, scrape, eventually):
    """Both connections stand, and a busy worker counts."""
    samples = scrape()
    for connection in ("consumer", "publisher"):
        assert samples.value("shop_broker_connected", service="speaker", connection=connection) == 1
    assert samples.value("shop_broker_blocked") == 0
    busy = eventlet.spawn(world.speaker.slow, 1)
    eventually(lambda: scrape().value("shop_workers_busy", service="speaker") == 1)
    busy.wait()


def _fail_with_bad(event):
    if event.payload["text"] == "bad":
        raise ValueError("bad")


def _outcome(method, *arguments):
    try:
        return method(*arguments)
    except Fault as fault:
        return fault
