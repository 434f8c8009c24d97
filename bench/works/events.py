"""Events: how soon one is handled when nothing else happens, and how fast many are drained.

Times are those at which PostgreSQL committed: the order (with its outbox row) in one database, the
handler's work (with its inbox row) in another of the same server.
"""

import statistics
import time

from bench.contenders import SHOP
from bench.measures import Goal, Record, Series
from bench.people import sign_up
from bench.run import Run
from bench.started import Started
from bench.works.checkout import baskets, well_stocked
from shop.local.server import LocalError

_BUYERS = 20
#: Orders a second that leave the shop idle between two, on so many connections.
_CALM, _CONNECTIONS = 20, 2
#: Events to drain, and seconds that it may take.
_MANY, _PATIENCE = 10_000, 120

_COMMITTED = """
    SELECT event_id, pg_xact_commit_timestamp(timeline.xmin)
    FROM outbox JOIN timeline ON order_id = (payload->>'order_id')::uuid AND cause = 'placed'
    WHERE outbox.type = 'order_placed' AND occurred_at > %s
"""
_HANDLED = """
    SELECT event_id, pg_xact_commit_timestamp(xmin) FROM inbox
    WHERE handler = 'notifications.announce' AND handled_at > %s
"""
#: As many more events like those that are there, each of an order of its own.
RECORD = """
    INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at)
    SELECT gen_random_uuid(), source, type,
        payload || jsonb_build_object('order_id', gen_random_uuid()), headers, now()
    FROM (SELECT * FROM outbox WHERE type = 'order_placed' ORDER BY id DESC LIMIT 50) AS known,
        generate_series(1, %s / 50)
"""
_UNSENT = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
_RELAYED = """
    SELECT count(*) / extract(epoch FROM max(sent_at) - min(sent_at)) FROM outbox
    WHERE occurred_at = %s AND sent_at > (SELECT min(sent_at) FROM outbox WHERE occurred_at = %s)
"""
_LATEST = "SELECT max(occurred_at) FROM outbox"
_DRAINED = """
    SELECT count(*), extract(epoch FROM max(at) - min(at))
    FROM (SELECT pg_xact_commit_timestamp(xmin) AS at FROM inbox
          WHERE handler = 'notifications.announce' AND handled_at > %s) AS handled
"""
_NOW = "SELECT clock_timestamp()"


def measure(run: Run) -> list[Record]:
    """From `orders` to `notifications`, in a shop of its own: it is left with a lot of mail."""
    run.show.say("starting a shop for events")
    shop = run.start(SHOP, "events", run.template)
    try:
        return [_unloaded(run, shop), _drained(run, shop)]
    finally:
        shop.stop()


def _unloaded(run: Run, shop: Started) -> Record:
    products = sorted(well_stocked(run, shop.place.prefix))
    requests = [
        each.to_bytes() for each in baskets(sign_up(shop.port, _BUYERS, run.mails), products)
    ]
    series = Series()
    for number in range(run.size.rounds):
        run.show.doing("events", f"round {number + 1}: {_CALM} orders a second")
        began = run.rig.value("postgres", _NOW)
        run.load(
            shop.port,
            requests,
            expect=201,
            rate=_CALM,
            connections=_CONNECTIONS,
            first=number * 100,
        )
        shop.await_rest()
        committed = run.rig.rows(f"{shop.place.prefix}_orders", _COMMITTED, began)
        handled = dict(run.rig.rows(f"{shop.place.prefix}_notifications", _HANDLED, began))
        if missing := [event for event, _ in committed if event not in handled]:
            raise LocalError(f"{len(missing)} of {len(committed)} events were not handled")
        waited = sorted((handled[event] - at).total_seconds() * 1e6 for event, at in committed)
        series.figures.append(statistics.median(waited) / 1000)
        series.latencies.append({"p50": statistics.median(waited), "p99": waited[-2]})
        run.show.figure("events", shop.name, series.figures[-1], "ms")
    low, high = series.spread
    goal = Goal("at the median", series.median, 15.0, None, True, "ms", low, high)
    title = "event, from commit to handler done, unloaded"
    return Record("events unloaded", title, "ms", {shop.name: series}, [goal])


def _drained(run: Run, shop: Started) -> Record:
    orders, notifications = f"{shop.place.prefix}_orders", f"{shop.place.prefix}_notifications"
    run.show.doing("events", f"recording {_MANY:,} events while nobody handles them")
    shop.halt("notifications.service")
    run.rig.rows(orders, RECORD, _MANY)
    recorded = run.rig.value(orders, _LATEST)
    _await(run, orders, _UNSENT, 0)
    relayed = float(run.rig.value(orders, _RELAYED, recorded, recorded))
    run.show.figure("events", "relay", relayed)
    run.show.doing("events", "draining them")
    shop.resume("notifications.service")
    count, seconds = _await_drained(run, notifications, recorded)
    drained = count / seconds
    run.show.figure("events", "notifications", drained)
    goals = [
        Goal("published by the sweep of orders", relayed, 2000.0, unit="/s"),
        Goal("handled by notifications", drained, 2000.0, unit="/s"),
    ]
    run.titles |= {"relay": "relay of orders", "notifications": "handler of notifications"}
    found = {"relay": Series([relayed]), "notifications": Series([drained])}
    notes = [f"{count:,} events were handled within {seconds:.0f} s."]
    return Record("events drained", f"{_MANY:,} events drained", "/s", found, goals, notes)


def _await(run: Run, database: str, statement: str, wanted: int) -> None:
    until = time.monotonic() + _PATIENCE
    while (left := run.rig.value(database, statement)) != wanted:
        if time.monotonic() > until:
            raise LocalError(f"{left} events are left after {_PATIENCE} s")
        time.sleep(0.2)


def _await_drained(run: Run, database: str, since: object) -> tuple[int, float]:
    """How many were handled within how many seconds, once all are or patience is over."""
    until = time.monotonic() + _PATIENCE
    while True:
        count, seconds = run.rig.rows(database, _DRAINED, since)[0]
        if count >= _MANY or (time.monotonic() > until and count > 1):
            return count, float(seconds)
        if time.monotonic() > until:
            raise LocalError(f"no event was handled in {_PATIENCE} s")
        time.sleep(0.5)
