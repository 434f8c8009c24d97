"""`nameko run` for one package, begun early: `python -m shop.local.service orders 2 9103 <gate>`.

Loading the code takes a process a second of work and RabbitMQ needs longer than that to start, so
the one is done while the other happens: everything is imported, then the process waits until the
gate (a file) is there, which says that databases and queues are as the code expects them.
The first number says which of its service's processes this is, from 1 on; the other one where the
first of them has its metrics, 0 for nowhere.

Several processes are on one machine here, so what is large and does nothing is not loaded at all.
"""

import fcntl
import gc
import importlib.metadata
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType


@contextmanager
def turn(gate: Path) -> Iterator[None]:
    """Wait for a turn, of which there are as many as processors but one: that one is RabbitMQ's,
    which starts half as fast without. Once the gate is open there are no turns."""
    slots = range(max((os.cpu_count() or 1) - 1, 1))
    files = [gate.with_name(f"turn-{slot}").open("w") for slot in slots]
    taken = None
    while taken is None and not gate.exists():
        for file in files:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                taken = file
                break
        else:
            time.sleep(0.05)
    yield
    for file in files:
        file.close()


@contextmanager
def spared() -> Iterator[None]:
    """While code is loaded: without what only costs memory, a tenth of each process.

    Nameko's command line has pkg_resources look up its version, and structlog loads rich for
    tracebacks that `chassis.logs` shows in another way.
    """
    versions = ModuleType("pkg_resources")
    versions.get_distribution = importlib.metadata.distribution
    sys.modules |= {"pkg_resources": versions, "rich": None}
    yield
    del sys.modules["pkg_resources"], sys.modules["rich"]


def load(package: str) -> None:
    """Import all that the service will need."""
    with spared():
        gc.disable()  # what imports allocate stays; looking for garbage takes a tenth of the time
        # Eventlet's own resolver is 14 MB of dnspython; see `shop.local.resolver`.
        os.environ["EVENTLET_NO_GREENDNS"] = "yes"
        import eventlet

        eventlet.monkey_patch()  # before anything else is imported

        from importlib import import_module

        from shop.local import resolver

        resolver.look_up_in_threads()

        from nameko.cli import run  # noqa: F401  (the command imports it late)

        import_module(f"{package}.service")
        gc.enable()


def serve(package: str) -> None:
    """Be `nameko run`, to the end of the process."""
    from nameko.cli import main as nameko

    sys.argv[:] = ["nameko", "run", f"{package}.service", "--config", "config.yaml"]
    nameko.main()


def main() -> None:
    package, slot, metrics, gate = sys.argv[1:]
    gate = Path(gate)
    os.environ["METRICS_PORT"] = str(int(metrics) and int(metrics) + int(slot) - 1)
    with turn(gate):
        load(package)
    while not gate.exists():
        time.sleep(0.05)
    serve(package)


if __name__ == "__main__":
    main()
