"""Who is killed, and who starts them again."""

import threading
from contextlib import suppress

import psutil

from bench.rig import Rig
from bench.started import Started

#: In turn; the last two are everybody's servers.
VICTIMS = ("gateway", "products", "orders", "broker", "database")


class Keeper:
    """Starts again at once what has ended, as any supervisor does; while `with` lasts."""

    def __init__(self, started: Started):
        self._started = started
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(0.1):
            for process in self._started.ended():
                self._started.resume(process)


def kill(victim: str, started: Started, rig: Rig) -> None:
    """SIGKILL; returns once a server is back, a process is for the keeper."""
    if victim in ("broker", "database"):
        rig.crash(victim)
        return
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(started.pid(started.process_of(victim)))
        for one in [*process.children(recursive=True), process]:
            one.kill()
