"""What one order costs from the click to the last mail: processor time by part, rows on disk.

Buyers place orders of three lines and pay them; everything that follows is waited for, so the
figures hold for whole orders and not for what fits before the answer. What shops are sized by is
what it leaves of a processor, so that many orders a second are so many times the cost.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import psutil

from bench.contenders import SHOP
from bench.measures import Record, Table
from bench.people import sign_up
from bench.run import Run
from bench.started import Started, cpu_of
from bench.traffic import Request, ask
from bench.works.checkout import baskets, well_stocked
from shop.local.server import LocalError
from shop.packages import DATABASE_PACKAGES

#: Orders that are measured, after some that are not; people who buy at once.
_ORDERS, _FIRST, _BUYERS = 1_000, 100, 16
#: Seconds without work after which nothing is left to do; mails go out in rounds.
_QUIET = 5.0

_TABLES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_PAID = "SELECT count(*) FROM orders WHERE payment_status = 'paid'"
_EVENTS = "SELECT count(*) FROM outbox"
_WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
#: Tables whose rows are deleted, and after how many days (`chassis.events.janitor`).
_PASSING = {"outbox": 7, "inbox": 30}

_HEADS = ["part", "processor, ms", "orders/s that one processor carries"]

_KIBIBYTE = 1024


def measure(run: Run) -> list[Record]:
    """In a shop of its own, so that every order in it is one of these."""
    run.show.say("starting a shop for sizing")
    shop = run.start(SHOP, "sizing", run.template)
    try:
        orders = baskets(
            sign_up(shop.port, run.size.buyers, run.mails), sorted(well_stocked(run, "sizing"))
        )
        _sell(run, shop, orders[:_FIRST])
        before = _Figures.of(run, shop)
        _sell(run, shop, orders[_FIRST : _FIRST + _ORDERS])
        after = _Figures.of(run, shop)
    finally:
        shop.stop()
    costs = _per_order(after.seconds, before.seconds, 1000)
    databases = _per_order(after.by_database, before.by_database, 1000)
    notes = [
        f"Of PostgreSQL's, {_listed(databases, 'ms')}; the rest is WAL, checkpoints and vacuum.",
        *_growth(_per_order(after.sizes, before.sizes, 1 / _KIBIBYTE)),
        f"{(after.wal - before.wal) / _ORDERS / _KIBIBYTE:.1f} KiB of WAL and"
        f" {(after.events - before.events) / _ORDERS:.1f} events are written for an order.",
    ]
    title = "a whole order: placed, paid, everybody told"
    return [Record("sizing", title, table=_table(costs), notes=notes)]


@dataclass(frozen=True)
class _Figures:
    """What there is by now: seconds of processor time by process, and PostgreSQL's by database;
    bytes by `<database>.<table>`, with indexes; bytes of WAL; events in outboxes."""

    seconds: dict[str, float]
    by_database: dict[str, float]
    sizes: dict[str, float]
    wal: float
    events: int

    @classmethod
    def of(cls, run: Run, shop: Started) -> "_Figures":
        rows, value = run.rig.rows, run.rig.value
        sizes = {
            f"{package}.{table}": float(size)
            for package in DATABASE_PACKAGES
            for table, size in rows(f"sizing_{package}", _TABLES)
        }
        publishers = [package for package in DATABASE_PACKAGES if f"{package}.outbox" in sizes]
        return cls(
            run.cpu(shop),
            _by_database(psutil.Process(run.rig.server_pids[0])),
            sizes,
            float(value("postgres", _WAL)),
            sum(value(f"sizing_{package}", _EVENTS) for package in publishers),
        )


def _by_database(server: psutil.Process) -> dict[str, float]:
    """PostgreSQL's connections tell in their command line which database they are of."""
    seconds: Counter[str] = Counter()
    for child in server.children():
        with suppress(psutil.NoSuchProcess):
            if named := re.search(r"\bsizing_(\w+)", " ".join(child.cmdline())):
                seconds[named[1]] += cpu_of([child])
    return seconds


def _sell(run: Run, shop: Started, orders: Sequence[Request]) -> None:
    """Have these placed and paid, and wait for what follows."""
    run.show.doing("sizing", f"{len(orders):,} orders")
    before = run.rig.value("sizing_orders", _PAID)
    with ThreadPoolExecutor(_BUYERS) as pool:
        list(pool.map(lambda order: _buy(shop.port, order), orders))
    shop.await_rest(_QUIET)
    paid = run.rig.value("sizing_orders", _PAID) - before
    if paid != len(orders):
        raise LocalError(f"of {len(orders)} orders {paid} were paid")


def _buy(port: int, order: Request) -> None:
    _, placed = _ask(port, order)
    card = {"type": "card", "token": "tok_visa"}
    _ask(
        port,
        Request("/api/payments", "POST", {"order_id": placed["id"], "method": card}, order.token),
    )


def _ask(port: int, request: Request) -> tuple[int, dict]:
    status, body = ask(port, request)
    if status != 201:
        raise LocalError(f"{request.method} {request.path} is answered {status} {body}")
    return status, body


def _per_order(
    after: dict[str, float], before: dict[str, float], factor: float
) -> dict[str, float]:
    """How much each has grown by an order, in another unit; the largest first."""
    grown = {name: (after[name] - before.get(name, 0)) * factor / _ORDERS for name in after}
    return dict(sorted(grown.items(), key=lambda item: -item[1]))


def _table(costs: dict[str, float]) -> Table:
    rows = [[part, f"{ms:.2f}", f"{1000 / ms:,.0f}"] for part, ms in costs.items() if ms >= 0.01]
    whole = sum(costs.values())
    return Table(_HEADS, [*rows, ["all", f"{whole:.2f}", f"{1000 / whole:,.0f}"]])


def _growth(sizes: dict[str, float]) -> Iterator[str]:
    """What stays of an order, and what goes again."""
    kept = {name: size for name, size in sizes.items() if name.split(".")[1] not in _PASSING}
    yield (
        f"{sum(kept.values()):.1f} KiB stay in the tables, with their indexes:"
        f" {_listed(kept, 'KiB')}."
    )
    for table, days in _PASSING.items():
        size = sum(size for name, size in sizes.items() if name.endswith(f".{table}"))
        yield f"{size:.1f} KiB are in tables named {table}, for {days} days."


def _listed(figures: dict[str, float], unit: str, count: int = 5) -> str:
    return ", ".join(f"{name} {figures[name]:.1f} {unit}" for name in [*figures][:count])
