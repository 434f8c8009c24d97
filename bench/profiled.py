"""Where the shop's processor time goes: what py-spy sees, by what the code is for."""

import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.install import PYTHON
from bench.started import Started
from shop.local.server import LocalError, last_words

#: Looks a second; many enough, and too few to slow anybody down.
_RATE = 100

#: What code is for, by the beginning of its file's name; the innermost frame that is named decides.
_PURPOSES = {
    "sqlalchemy/": "database",
    "psycopg2/": "database",
    "chassis/database": "database",
    "chassis/json_rows": "database",
    "chassis/events": "events",
    "amqp/": "broker",
    "chassis/broker": "broker",
    "marshmallow/": "validation",
    "chassis/fields": "validation",
    "chassis/web": "HTTP",
    "chassis/rpc": "calls",
}
_REST = "everything else"
#: Where a process waits for something to do.
_WAITING = "eventlet/hubs/epolls.py"


@contextmanager
def watched(
    shop: Started, services: Iterable[str], seconds: float, folder: Path
) -> Iterator[dict[str, dict[str, float]]]:
    """Watches these services for so long; at the end there is, by service, which share of the time
    that it was at work had which purpose."""
    shares: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        watching = {
            service: stack.enter_context(_watching(shop, service, seconds, folder))
            for service in services
        }
        yield shares
        for service, process in watching.items():
            if process.wait(timeout=60) != 0:
                raise LocalError(f"py-spy: {last_words(_log(folder, service))}")
            shares[service] = by_purpose(_samples(folder, service).read_text().splitlines())


def by_purpose(samples: Iterable[str]) -> dict[str, float]:
    """Shares of py-spy's raw samples, each "outermost;…;innermost count" and a frame "name
    (file:line)"; those that wait apart."""
    counts: Counter[str] = Counter()
    for sample in samples:
        stack, _, count = sample.rpartition(" ")
        files = [frame.rpartition("(")[2] for frame in reversed(stack.split(";"))]
        if not files[0].startswith(_WAITING):
            counts[_purpose(files)] += int(count)
    whole = sum(counts.values())
    return {purpose: count / whole for purpose, count in counts.most_common()}


def _purpose(files: list[str]) -> str:
    for file in files:
        for beginning, purpose in _PURPOSES.items():
            if file.startswith(beginning):
                return purpose
    return _REST


def _watching(
    shop: Started, service: str, seconds: float, folder: Path
) -> "subprocess.Popen[bytes]":
    command = [
        str(PYTHON.with_name("py-spy")),
        "record",
        "--pid", str(shop.pid(shop.process_of(service))),
        "--duration", str(max(1, round(seconds))),
        "--rate", str(_RATE),
        "--format", "raw",
        "--output", str(_samples(folder, service)),
    ]  # fmt: skip
    with _log(folder, service).open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _samples(folder: Path, service: str) -> Path:
    return folder / f"profile.{service}.raw"


def _log(folder: Path, service: str) -> Path:
    return folder / f"profile.{service}.log"
