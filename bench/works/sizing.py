"""What one order costs from the click to the last mail: processor time by part, rows on disk.

Buyers place orders of three lines and pay them; everything that follows is waited for, so the
figures hold for whole orders and not for what fits before the answer. What shops are sized by is
what it leaves of a processor, so that many orders a second are so many times the cost.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.contenders import SHOP
from bench.measures import Record, Table
from bench.people import sign_up
from bench.run import Run
from bench.started import Started
from bench.traffic import Request, ask
from bench.works.checkout import baskets, well_stocked
from shop.local.server import LocalError
from shop.migrate import PACKAGES

#: Orders that are measured, after some that are not; people who buy at once.
_ORDERS, _FIRST, _BUYERS = 1_000, 100, 16
#: Seconds without work after which nothing is left to do; mails go out in rounds.
_QUIET = 5.0

_TABLES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_PAID = "SELECT count(*) FROM orders WHERE payment_status = 'paid'"
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
        orders = baskets(sign_up(shop.port, run.size.buyers), sorted(well_stocked(run, "sizing")))
        _sell(run, shop, orders[:_FIRST])
        processor, disk, wal = run.cpu(shop), _disk(run), run.rig.value("postgres", _WAL)
        _sell(run, shop, orders[_FIRST : _FIRST + _ORDERS])
        costs = _difference(run.cpu(shop), processor)
        grown = _difference(_disk(run), disk)
        wal = run.rig.value("postgres", _WAL) - wal
    finally:
        shop.stop()
    costs = {part: seconds * 1000 / _ORDERS for part, seconds in costs.items()}
    notes = [*_growth(grown), f"{float(wal) / _ORDERS / _KIBIBYTE:.1f} KiB of WAL an order."]
    title = "a whole order: placed, paid, everybody told"
    return [Record("sizing", title, table=_table(costs), notes=notes)]


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


def _disk(run: Run) -> dict[str, float]:
    """Bytes of each table with its indexes, by `<database>.<table>`."""
    return {
        f"{package}.{table}": float(size)
        for package in PACKAGES
        for table, size in run.rig.rows(f"sizing_{package}", _TABLES)
    }


def _difference(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before.get(name, 0.0) for name in after}


def _table(costs: dict[str, float]) -> Table:
    """The dearest part first."""
    rows = [
        [part, f"{ms:.2f}", f"{1000 / ms:,.0f}"]
        for part, ms in sorted(costs.items(), key=lambda item: -item[1])
        if ms >= 0.01
    ]
    whole = sum(costs.values())
    return Table(_HEADS, [*rows, ["all", f"{whole:.2f}", f"{1000 / whole:,.0f}"]])


def _growth(grown: dict[str, float]) -> Iterator[str]:
    """What stays of an order, and what goes again."""
    kept = {name: size for name, size in grown.items() if name.split(".")[1] not in _PASSING}
    whole = _each(sum(kept.values()))
    yield f"{whole} an order stay in the tables, indexes included: {_largest(kept)}."
    for table, days in _PASSING.items():
        sizes = [size for name, size in grown.items() if name.endswith(f".{table}")]
        yield f"{_each(sum(sizes))} an order are in {table} tables, for {days} days."


def _each(size: float) -> str:
    return f"{size / _ORDERS / _KIBIBYTE:.1f} KiB"


def _largest(sizes: dict[str, float], count: int = 5) -> str:
    dearest = sorted(sizes.items(), key=lambda item: -item[1])[:count]
    return ", ".join(f"{name} {_each(size)}" for name, size in dearest)
