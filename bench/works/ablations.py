"""What each shortcut of ours saves on its paths: with it and without it, in turns.

Both sides have the same servers, rows and buyers, and get the same requests. What counts is
processor time, for that survives a busy machine: of all processes of the shop and of both servers
for one answer, with what is done after it.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from bench import goods
from bench.ablations import ABLATIONS, WORTH, Ablation, Path
from bench.contenders import CHASSIS, SHOP, Contender, Place
from bench.measures import Record, Series, Table, rotated
from bench.people import Buyer, sign_up
from bench.run import Run
from bench.show import number
from bench.traffic import Request
from bench.works.checkout import QUIET, baskets, well_stocked
from bench.works.events import RECORD
from bench.works.products import some_products
from shop.local.server import LocalError

#: Rounds at least: the median of fewer means little.
_ROUNDS = 7
#: The databases that both sides get copies of.
_SEED = "seed"
#: Events that are handled in one turn, and seconds that it may take.
_EVENTS, _PATIENCE = 600, 60
_HANDLED = "SELECT count(*) FROM inbox WHERE handler = 'notifications.announce'"

#: The rates of these contenders, and what they cost, on one path.
Walk = Callable[[Run, Sequence[str], Sequence[Buyer]], dict[str, Series]]


def measure(run: Run) -> list[Record]:
    """A row for each path of each shortcut."""
    buyers = _seeded(run)
    rows, failures = [], []
    for name in run.shortcuts or ABLATIONS:
        try:
            found = _both_ways(run, name, ABLATIONS[name], buyers)
        except LocalError as error:
            failures.append(f"{name} could not be measured: {error}")
            continue
        for row in _rows(ABLATIONS[name], found):
            rows.append(row)
            run.show.say(" | ".join(row))
    heads = ["shortcut", "path", "ms with it", "× without it", "spread", "rate ×", "so it"]
    notes = [
        f"In {max(_ROUNDS, run.size.rounds)} rounds. Processor time for one answer with the"
        " shortcut, how many times as much without it, median, lowest and highest, and how many"
        f" times as many answers a second. One that saves less than {WORTH:.0%} on each of its"
        " paths goes.",
        *failures,
    ]
    return [Record("ablations", "shortcuts", table=Table(heads, rows), notes=notes)]


def _seeded(run: Run) -> list[Buyer]:
    """Fill the databases that both sides begin with: with buyers, and orders that are told of."""
    run.show.say("a shop for both sides to begin with")
    shop = run.start(SHOP, _SEED, run.template)
    try:
        buyers = sign_up(shop.port, run.size.buyers, run.mails)
        orders = baskets(buyers, sorted(well_stocked(run, _SEED)))
        sent = [order.to_bytes() for order in orders]
        run.load(shop.port, sent, expect=201, rate=50, seconds=2, connections=4)
        shop.await_rest(QUIET)
    finally:
        shop.stop()
    return buyers


def _both_ways(
    run: Run, name: str, ablation: Ablation, buyers: Sequence[Buyer]
) -> dict[str, tuple[Series, Series]]:
    """By path, with and without."""
    found = {}
    paths = dict.fromkeys(path.name for path in ablation.paths)
    for of in (CHASSIS, SHOP):
        here = [path for path in paths if (path == "ping") == (of is CHASSIS)]
        if not here:
            continue
        sides = _sides(of, name, ablation)
        with run.guests(*sides, template=_SEED):
            names = [side.name for side in sides]
            for path in here:
                run.show.say(f"{path} with and without {name}")
                both = _WALKS[path](run, names, buyers)
                found[path] = both[names[0]], both[names[1]]
    return found


def _sides(of: Contender, name: str, ablation: Ablation) -> list[Contender]:
    """The same contender, as it is and without a shortcut."""

    def environment(place: Place) -> dict[str, str]:
        return of.environment(place) | ablation.environment

    def commands(environment: object) -> dict[str, list[str]]:
        whole = of.commands(environment)
        start = [sys.executable, "-W", "ignore", "-m", "bench.ablations.without", name]
        return {process: [*start, *command[5:]] for process, command in whole.items()}

    return [
        replace(of, name=f"{of.name}_with", environment=environment),
        replace(of, name=f"{of.name}_without", environment=environment, commands=commands),
    ]


def _rows(ablation: Ablation, found: dict[str, tuple[Series, Series]]) -> Iterator[list[str]]:
    rows, best = [], 0.0
    for path in ablation.paths:
        ours, plain = (_costs(series, path) for series in found[path.name])
        times = [without / with_ for with_, without in zip(ours, plain, strict=True)]
        rates = [
            without / with_
            for with_, without in zip(*(each.figures for each in found[path.name]), strict=True)
        ]
        ratio = statistics.median(times)
        best = max(best, ratio)
        of = f", {' and '.join(path.processes)} alone" if path.processes else ""
        rows.append(
            [
                f"{ablation.title} (`{ablation.code}`)",
                f"{path.name}{of}",
                number(statistics.median(ours) * 1000),
                f"{ratio:.2f}",
                f"{min(times):.2f} – {max(times):.2f}",
                f"{statistics.median(rates):.2f}",
            ]
        )
    for row in rows:
        yield [*row, "stays" if best >= 1 + WORTH else "goes"]


def _costs(series: Series, path: Path) -> list[float]:
    """Seconds for one answer, round by round."""
    return [
        sum(
            seconds
            for name, seconds in costs.items()
            if name in path.processes or not path.processes
        )
        for costs in series.costs
    ]


def _reads(make: Callable[[Run, Sequence[Buyer]], list[Request]], **how: object) -> Walk:
    """A path that is some GETs."""

    def walk(run: Run, names: Sequence[str], buyers: Sequence[Buyer]) -> dict[str, Series]:
        rounds = max(_ROUNDS, run.size.rounds)
        return run.compare("ablations", names, make(run, buyers), rounds=rounds, **how)

    return walk


def _orders(run: Run, names: Sequence[str], buyers: Sequence[Buyer]) -> dict[str, Series]:
    orders = baskets(buyers, sorted(well_stocked(run, _SEED)))
    rounds = max(_ROUNDS, run.size.rounds)
    is_right = lambda asked, order: len(order["items"]) == len(asked.body["items"])  # noqa: E731
    return run.compare(
        "ablations", names, orders, expect=201, check=is_right, quiet=QUIET, rounds=rounds
    )


def _events(run: Run, names: Sequence[str], buyers: Sequence[Buyer]) -> dict[str, Series]:
    """Events of orders, from the outbox to all their handlers."""
    found = {name: Series() for name in names}
    for turn in range(max(_ROUNDS, run.size.rounds) + 1):  # the first one warms up
        for name in rotated([*names], turn):
            shop = run.contender(name)
            before = run.cpu(shop)
            seconds = _handled(run, shop.place.prefix)
            shop.await_rest(QUIET)
            after = run.cpu(shop)
            if turn:
                found[name].figures.append(_EVENTS / seconds)
                found[name].costs.append({n: (after[n] - before[n]) / _EVENTS for n in before})
                run.show.figure("ablations", name, _EVENTS / seconds)
    return found


def _handled(run: Run, prefix: str) -> float:
    """Record so many events, and return after how many seconds notifications have handled them."""
    notifications = f"{prefix}_notifications"
    wanted = run.rig.value(notifications, _HANDLED) + _EVENTS
    began = time.monotonic()
    run.rig.rows(f"{prefix}_orders", RECORD, _EVENTS)
    while run.rig.value(notifications, _HANDLED) < wanted:
        if time.monotonic() > began + _PATIENCE:
            raise LocalError(f"{_EVENTS} events are not handled after {_PATIENCE} s")
        time.sleep(0.05)
    return time.monotonic() - began


_WALKS: dict[str, Walk] = {
    "ping": _reads(
        lambda run, buyers: [Request(f"/ping/{n}") for n in range(1000)],
        check=lambda asked, body: body == {"n": int(asked.path.rpartition("/")[2])},
    ),
    "detail": _reads(
        lambda run, buyers: [
            Request(f"/api/products/{n}", fresh=True) for n in some_products(run, 2000)
        ]
    ),
    "cached": _reads(
        lambda run, buyers: [Request(f"/api/products/{n}") for n in some_products(run, 200)]
    ),
    "cached list": _reads(
        lambda run, buyers: [
            Request(f"/api/products?limit=20&sort={sort}&in_stock=true")
            for sort in ("name", "price")
        ]
    ),
    "signed in": _reads(
        lambda run, buyers: [
            Request(f"/api/products/{n}", token=buyers[n % len(buyers)].token)
            for n in some_products(run, 200)
        ]
    ),
    "search": _reads(
        lambda run, buyers: [
            Request(f"/api/products?limit=20&search={quote(words)}", fresh=True)
            for words in goods.SEARCHES
        ]
    ),
    "checkout": _orders,
    "events": _events,
}
