"""What one order costs from the click to the last mail: commits, statements and messages, processor
time by part, rows on disk.

Buyers place orders of three lines and pay them, each under a key; the simulator sends its webhooks.
Everything that follows is waited for, so the figures hold for whole orders and not for what fits
before the answer. What the shop takes at rest is subtracted. What shops are sized by is what an
order leaves of a processor, so that many orders a second are so many times the cost.
"""

import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import psutil

from bench.contenders import SHOP
from bench.measures import Goal, Record, Table
from bench.people import sign_up
from bench.run import Run
from bench.started import Started, cpu_of
from bench.traffic import Request, ask
from bench.works.checkout import baskets, well_stocked
from shop.local.server import LocalError
from shop.packages import DATABASE_PACKAGES

_NAME = "cost"
#: Orders before any are measured; those that are, in a short run or a whole one; those of which
#: each statement is logged; people who buy at once.
_FIRST, _FEW, _MANY, _LOGGED, _BUYERS = 100, 300, 1_000, 100, 16
#: Seconds without work after which nothing is left to do, for mails go out in rounds; then until
#: PostgreSQL and RabbitMQ have counted all that there was; in which the shop is watched at rest.
_QUIET, _COUNTED, _REST = 5.0, 6.0, 20.0

_TABLES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_PAID = "SELECT count(*) FROM orders WHERE payment_status = 'paid'"
_EVENTS = "SELECT count(*) FROM outbox"
_WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
_COMMITS = "SELECT datname, xact_commit FROM pg_stat_database WHERE starts_with(datname, %s)"
#: Tables whose rows are deleted, and after how many days (`chassis.events.janitor`).
_PASSING = {"outbox": 7, "inbox": 30}

_HEADS = [
    "part",
    "commits",
    "statements",
    "messages",
    "processor, ms",
    "orders/s that one processor carries",
]

_KIBIBYTE = 1024

#: Figures by what they are of: `{"commits": {"orders": 11.0, …}, …}`.
Figures = dict[str, Counter[str]]


def measure(run: Run) -> list[Record]:
    """In a shop of its own, so that every order in it is one of these."""
    run.show.say("starting a shop for what an order costs")
    shop = run.start(SHOP, _NAME, run.template)
    try:
        buyers = sign_up(shop.port, run.size.buyers, run.mails)
        orders = iter(baskets(buyers, sorted(well_stocked(run, _NAME))))
        _sell(run, shop, orders, _FIRST)
        with run.rig.statements() as statements:
            found = _per_order(
                run, shop, orders, _LOGGED, lambda: {"statements": _by_package(statements())}
            )
        count = _FEW if run.is_quick else _MANY
        found |= _per_order(run, shop, orders, count, lambda: _read(run, shop))
    finally:
        shop.stop()
    title = "a whole order, to the last mail"
    return [Record(_NAME, title, goals=_goals(found), notes=[*_notes(found)], table=_table(found))]


def _per_order(
    run: Run, shop: Started, orders: Iterator[Request], count: int, read: Callable[[], Figures]
) -> Figures:
    """How much each figure grows by one of the next `count` orders, beyond what it grows by while
    the shop rests."""
    began, before = time.monotonic(), read()
    _sell(run, shop, orders, count)
    ended, after = time.monotonic(), read()
    run.show.doing(_NAME, f"nothing for {_REST:.0f} s")
    time.sleep(_REST)
    share = (ended - began) / (time.monotonic() - ended)
    return beyond_rest(before, after, read(), share, count)


def beyond_rest(
    before: Figures, after: Figures, rested: Figures, share: float, count: int
) -> Figures:
    """What one of `count` orders has added from `before` to `after`, which took `share` times as
    long as the rest since then."""

    def each(what: str, name: str) -> float:
        value = after[what][name]
        grown, at_rest = value - before[what][name], rested[what][name] - value
        return max(0.0, grown - at_rest * share) / count

    return {
        what: Counter({name: each(what, name) for name in figures})
        for what, figures in after.items()
    }


def _read(run: Run, shop: Started) -> Figures:
    """What there is by now: seconds of processor time by process, and PostgreSQL's by database;
    commits and messages; bytes by `<database>.<table>`, with indexes, and of WAL; events in
    outboxes."""
    rows, value = run.rig.rows, run.rig.value
    sizes = {
        f"{package}.{table}": float(size)
        for package in DATABASE_PACKAGES
        for table, size in rows(f"{_NAME}_{package}", _TABLES)
    }
    publishers = [package for package in DATABASE_PACKAGES if f"{package}.outbox" in sizes]
    return {
        "commits": _by_package(dict(rows("postgres", _COMMITS, f"{_NAME}_"))),
        "messages": Counter(run.rig.messages(_NAME)),
        "seconds": Counter(run.cpu(shop)),
        "of PostgreSQL": _by_database(psutil.Process(run.rig.server_pids[0])),
        "bytes": Counter(sizes),
        "written": Counter(
            WAL=float(value("postgres", _WAL)),
            events=sum(value(f"{_NAME}_{package}", _EVENTS) for package in publishers),
        ),
    }


def _by_package(databases: dict[str, int]) -> Counter[str]:
    """Counts of this shop's databases, by the package that each is of."""
    beginning = f"{_NAME}_"
    return Counter(
        {
            name.removeprefix(beginning): count
            for name, count in databases.items()
            if name.startswith(beginning)
        }
    )


def _by_database(server: psutil.Process) -> Counter[str]:
    """PostgreSQL's connections tell in their command line which database they are of."""
    seconds: Counter[str] = Counter()
    for child in server.children():
        with suppress(psutil.NoSuchProcess):
            if named := re.search(rf"\b{_NAME}_(\w+)", " ".join(child.cmdline())):
                seconds[named[1]] += cpu_of([child])
    return seconds


def _sell(run: Run, shop: Started, orders: Iterator[Request], count: int) -> None:
    """Have the next `count` orders placed and paid, and wait for what follows."""
    run.show.doing(_NAME, f"{count:,} orders")
    before = run.rig.value(f"{_NAME}_orders", _PAID)
    with ThreadPoolExecutor(_BUYERS) as pool:
        list(pool.map(lambda _: _buy(shop.port, next(orders)), range(count)))
    shop.await_rest(_QUIET)
    time.sleep(_COUNTED)
    paid = run.rig.value(f"{_NAME}_orders", _PAID) - before
    if paid != count:
        raise LocalError(f"of {count} orders {paid} were paid")


def _buy(port: int, order: Request) -> None:
    placed = _ask(port, order)
    payment = {"order_id": placed["id"], "method": {"type": "card", "token": "tok_visa"}}
    _ask(port, Request("/api/payments", "POST", payment, order.token))


def _ask(port: int, request: Request) -> dict:
    status, body = ask(port, replace(request, key=uuid.uuid4().hex))
    if status != 201:
        raise LocalError(f"{request.method} {request.path} is answered {status} {body}")
    return body


def _goals(found: Figures) -> list[Goal]:
    """Counts are the same on all machines; the time is this one's."""
    commits, statements, messages = (
        found[what].total() for what in ("commits", "statements", "messages")
    )
    milliseconds = found["seconds"].total() * 1000
    return [
        Goal("each", commits, 15, guard=20, is_most=True, unit="commits"),
        Goal("each", statements, 60, guard=80, is_most=True, unit="statements"),
        Goal("each", messages, 14, guard=20, is_most=True, unit="messages"),
        Goal("of processor time each", milliseconds, 45, is_most=True, unit="ms"),
    ]


def _table(found: Figures) -> Table:
    """A row for each process and server; those of a database are its service's."""
    rows = [
        [
            part,
            _count(found["commits"].get(part)),
            _count(found["statements"].get(part)),
            _count(found["messages"].total() if part == "RabbitMQ" else None),
            *_carried(seconds),
        ]
        for part, seconds in found["seconds"].most_common()
    ]
    totals = [_count(found[what].total()) for what in ("commits", "statements", "messages")]
    return Table(_HEADS, [*rows, ["all", *totals, *_carried(found["seconds"].total())]])


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _carried(seconds: float) -> tuple[str, str]:
    return f"{seconds * 1000:.2f}", f"{1 / seconds:,.0f}" if seconds else ""


def _notes(found: Figures) -> Iterator[str]:
    yield (
        f"Of PostgreSQL's, {_listed(found['of PostgreSQL'], 1000, 'ms')}; the rest is WAL,"
        " checkpoints and vacuum."
    )
    exchanges = Counter({name or "(default)": n for name, n in found["messages"].items()})
    yield f"Messages by exchange: {_listed(exchanges, 1, '')}."
    kept = Counter(
        {name: size for name, size in found["bytes"].items() if name.split(".")[1] not in _PASSING}
    )
    yield (
        f"{kept.total() / _KIBIBYTE:.1f} KiB stay in the tables, with their indexes:"
        f" {_listed(kept, 1 / _KIBIBYTE, 'KiB')}."
    )
    for table, days in _PASSING.items():
        size = sum(size for name, size in found["bytes"].items() if name.endswith(f".{table}"))
        yield f"{size / _KIBIBYTE:.1f} KiB are in tables named {table}, for {days} days."
    written = found["written"]
    yield (
        f"{written['WAL'] / _KIBIBYTE:.1f} KiB of WAL and {written['events']:.1f} events are"
        " written for an order."
    )


def _listed(figures: Counter[str], factor: float, unit: str, count: int = 5) -> str:
    """The largest of them, in another unit."""
    return ", ".join(
        f"{name} {value * factor:.1f} {unit}".rstrip() for name, value in figures.most_common(count)
    )
