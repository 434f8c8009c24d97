"""A contender whose processes run: awaited, halted and resumed one by one, measured, ended."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from bench.contenders import Contender, Place
from shop.local.server import MARK, LocalError, end, last_words

#: Seconds until a contender has to be ready, until it has come to rest after a load, and to end.
PATIENCE, REST, GRACE = 90, 120, 15
#: At rest means less than this share of one processor, over so many seconds.
IDLE, IDLE_SECONDS = 0.1, 0.3

#: Of our own environment, what a process of a contender sees: no setting that is not the bench's.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


class Started:
    """All processes of one contender. Their output goes to `<logs>/<contender>.<process>.log`."""

    def __init__(self, contender: Contender, place: Place, logs: Path, owner: Path):
        self.contender = contender
        self.place = place
        self._logs = logs
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._environment = inherited | {"PYTHONUNBUFFERED": "1", MARK: str(owner.resolve())}
        self._environment |= contender.environment(place)
        self._commands = contender.commands(self._environment)
        self._processes: dict[str, subprocess.Popen] = {}

    @property
    def name(self) -> str:
        return self.contender.name

    @property
    def port(self) -> int:
        """Where it answers HTTP."""
        return self.place.ports[0]

    def start(self) -> None:
        """Start every process, and return when it is ready; LocalError when it does not get so."""
        for process in self._commands:
            self.resume(process)
        self.await_ready()

    def resume(self, process: str) -> None:
        """Start one process."""
        log = self._log(process).open("ab")
        with log:
            self._processes[process] = subprocess.Popen(
                self._commands[process],
                cwd=self.contender.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is for the bench to handle
            )

    def process_of(self, service: str) -> str:
        """The name of the process that runs it: its own, or that of its module."""
        return next(name for name in self._commands if name.split(".")[0] == service)

    def ended(self) -> list[str]:
        """Those of its processes that have ended by themselves, or were killed."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def halt(self, process: str) -> None:
        """End one process."""
        end(_family([self._processes.pop(process)]), GRACE)

    def stop(self) -> None:
        """End them all."""
        end(_family(self._processes.values()), GRACE)
        self._processes.clear()

    @contextmanager
    def without(self, *services: str) -> Iterator[None]:
        """These services stand still meanwhile, as if nobody had started them."""
        pids = [self.pid(self.process_of(service)) for service in services]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def await_ready(self) -> None:
        """Return when it says that all of it is there."""
        until = time.monotonic() + PATIENCE
        url = f"http://127.0.0.1:{self.port}{self.contender.ready}"
        while True:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise LocalError(f"{self.name}: {name} ended; {last_words(self._log(name))}")
            with suppress(OSError, urllib.error.URLError):
                with urllib.request.urlopen(url, timeout=5) as answer:
                    if answer.status == 200:
                        return
            if time.monotonic() > until:
                logs = self._logs / f"{self.name}.*.log"
                raise LocalError(f"{self.name} is not ready after {PATIENCE} s; see {logs}")
            time.sleep(0.1)

    def await_rest(self, quiet: float = IDLE_SECONDS) -> float:
        """Return when it has done what the load left it to do, and has been `quiet` for so many
        seconds; how many seconds it had to do."""
        began = last = time.monotonic()
        while time.monotonic() < min(last + quiet, began + REST):
            before = self.cpu_seconds()
            time.sleep(IDLE_SECONDS)
            if self.cpu_seconds() - before >= IDLE * IDLE_SECONDS:
                last = time.monotonic()
        return last - began

    def cpu_seconds(self) -> float:
        """Processor time that its processes have had so far."""
        return sum(self.cpu_by_process().values())

    def cpu_by_process(self) -> dict[str, float]:
        """The same, by the name of each, with its children."""
        return {
            name.removesuffix(".service"): cpu_of(_family([process]))
            for name, process in self._processes.items()
        }

    def processes(self) -> list[psutil.Process]:
        """Its processes, with their children."""
        return _family(self._processes.values())

    def pid(self, process: str) -> int:
        """The process id of one of them."""
        return self._processes[process].pid

    def _log(self, process: str) -> Path:
        return self._logs / f"{self.name}.{process}.log"


def cpu_of(processes: Iterable[psutil.Process]) -> float:
    """Seconds of processor time that these have had so far, with those children that have ended."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _family(processes: Iterable[subprocess.Popen]) -> list[psutil.Process]:
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(process.pid)
            found += [parent, *parent.children(recursive=True)]
    return found
