"""What the whole shop takes of a machine, as `shop run` starts it: memory, idle time, its start.

Memory is counted as PSS, in which a page that several processes share counts once; RSS, in which it
counts for each, is told beside. RabbitMQ and PostgreSQL are told apart.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from bench.measures import Goal, Record, Series
from bench.run import Run
from bench.traffic import Request
from shop.chaos.own_shop import private_shop
from shop.local.place import Place
from shop.local.server import marked
from shop.packages import SERVICE_PACKAGES

#: Seconds in which nothing is asked of the shop.
IDLE_SECONDS = 20
#: What is asked of it in between, and how many of what.
_PRODUCTS = 250
_WORDS = ("oak", "lamp", "steel", "kettle", "linen")

RABBITMQ, POSTGRESQL = "RabbitMQ", "PostgreSQL"

_MEGABYTE = 1 << 20

#: Processes by what they are: a service, supervisord, a server.
Processes = dict[str, list[psutil.Process]]


def measure(run: Run) -> list[Record]:
    """A shop of its own with its sample goods, started twice."""
    folder = run.rig.folder / "footprint"
    run.show.doing("footprint", "a first start, which makes the data")
    with private_shop(folder, run.show.say):
        pass
    run.show.doing("footprint", "a second start")
    began = time.monotonic()
    with private_shop(folder, run.show.say) as place:
        start = time.monotonic() - began
        processes = _processes(place)
        fresh = _memory(processes, "pss")
        idle = _idle(run, processes)
        run.show.doing("footprint", "some load")
        _use(run, place)
        used, used_rss = _memory(processes, "pss"), _memory(processes, "rss")
    return [_record_memory(fresh, used, used_rss), _record_idle(idle), _record_start(start)]


def _processes(place: Place) -> Processes:
    found: Processes = {}
    for process in marked(place.var):
        with suppress(psutil.NoSuchProcess):
            kind = _kind(process.cmdline())
            family = [process, *process.children(recursive=True)]
            # PostgreSQL's children have written over the mark, the others' have it themselves.
            found.setdefault(kind, []).extend(family if kind == POSTGRESQL else [process])
    return found


def _kind(command: list[str]) -> str:
    if "shop.local.service" in command:
        return command[command.index("shop.local.service") + 1]
    if any("supervisord" in word for word in command):
        return "supervisord"
    return POSTGRESQL if any(word.endswith("/postgres") for word in command) else RABBITMQ


def _each(processes: Processes, figure: Callable[[psutil.Process], float]) -> dict[str, float]:
    sums = {}
    for kind, family in processes.items():
        sums[kind] = 0.0
        for process in family:
            with suppress(psutil.NoSuchProcess):  # PostgreSQL's come and go
                sums[kind] += figure(process)
    return sums


def _memory(processes: Processes, what: str) -> dict[str, float]:
    return _each(processes, lambda one: getattr(one.memory_full_info(), what) / _MEGABYTE)


def _idle(run: Run, processes: Processes) -> dict[str, float]:
    """Percent of one processor."""
    run.show.doing("footprint", f"nothing for {IDLE_SECONDS} s")
    before = _each(processes, _cpu_seconds)
    time.sleep(IDLE_SECONDS)
    after = _each(processes, _cpu_seconds)
    return {kind: 100 * (after[kind] - before[kind]) / IDLE_SECONDS for kind in processes}


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _use(run: Run, place: Place) -> None:
    """Reads, searches and logins: what makes processes grow."""
    people = {"email": "footprint@example.com", "password": "a bench needs no secrets"}
    paths = [f"/api/products/{product}" for product in range(1, _PRODUCTS + 1)]
    paths += [f"/api/products?search={word}" for word in _WORDS]
    requests = [Request(path, fresh=True) for path in paths]
    requests += [Request("/api/users/signup", "POST", people)] * 2
    requests += [Request("/api/users/login", "POST", people)] * 10
    sent = [request.to_bytes() for request in requests]
    run.load(place.ports["HTTP_PORT"], sent, expect=None)


def _of_shop(figures: dict[str, float]) -> float:
    return sum(figure for kind, figure in figures.items() if kind not in (RABBITMQ, POSTGRESQL))


def _line(figures: dict[str, float], unit: str) -> str:
    kinds = (*SERVICE_PACKAGES, "supervisord", RABBITMQ, POSTGRESQL)
    return ", ".join(f"{kind} {figures[kind]:.3g} {unit}" for kind in kinds if kind in figures)


def _record_memory(
    fresh: dict[str, float], used: dict[str, float], used_rss: dict[str, float]
) -> Record:
    whole = _of_shop(used)
    return Record(
        "footprint memory",
        "resident memory of the whole shop, after some load",
        "MiB",
        {"this shop": Series([whole])},
        [Goal("by PSS", whole, 400.0, guard=500.0, is_most=True, unit="MiB")],
        [
            f"before the load {_of_shop(fresh):.0f} MiB; by RSS, shared pages counted for each"
            f" process, {_of_shop(used_rss):.0f} MiB",
            f"PSS: {_line(used, 'MiB')}",
            f"RSS: {_line(used_rss, 'MiB')}",
        ],
    )


def _record_idle(idle: dict[str, float]) -> Record:
    whole = _of_shop(idle)
    return Record(
        "footprint idle",
        f"processor time of the whole shop when idle, over {IDLE_SECONDS} s",
        "%",
        {"this shop": Series([whole])},
        [Goal("of one processor", whole, 2.0, guard=5.0, is_most=True, unit="%")],
        [_line(idle, "%")],
    )


def _record_start(seconds: float) -> Record:
    return Record(
        "footprint start",
        "second start to ready",
        "s",
        {"this shop": Series([seconds])},
        [Goal("until it says so", seconds, 10.0, guard=30.0, is_most=True, unit="s")],
    )
