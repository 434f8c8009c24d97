"""A server on this machine: started, awaited, stopped, killed, found again after a crash.

Every process that is started here, and whatever it starts in turn (epmd, backends), carries
`SHOP_OWNER=<directory>` in its environment. That mark outlives the parent, so a later run finds
what a killed one left behind, and two clones never touch each other's processes.
"""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

import psutil

MARK = "SHOP_OWNER"
PR_SET_CHILD_SUBREAPER = 36  # <sys/prctl.h>
LOOPBACK = "127.0.0.1"


class LocalError(Exception):
    """Something on this machine is in the way; the message is one line for the operator."""


class Recipe(Protocol):
    """How one server is run, whoever runs it: the tests directly, `shop run` under supervisor."""

    name: str
    log: Path

    def prepare(self) -> None:
        """Write the configuration and the first data, if they are not there."""

    def command(self) -> list[str]:
        """The server in the foreground, as one process that ends on `stop_signal`."""

    def environment(self) -> dict[str, str]: ...

    def answers(self) -> bool:
        """Whether a client gets through to it now."""

    @property
    def stop_signal(self) -> signal.Signals: ...


class Server:
    """One server as a child of this process. Ports and data stay the same across restarts."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._process: subprocess.Popen | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise LocalError(f"{self.recipe.name} is not running")
        return self._process.pid

    def start(self, deadline: float = 60) -> None:
        """Start it and return when it answers; LocalError with the log's end when it does not."""
        self.recipe.prepare()
        with self.recipe.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.recipe.command(),
                env=os.environ | self.recipe.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is for the parent to handle
            )
        await_answer(self.recipe, deadline, lambda: self._process.poll() is None)

    def stop(self, grace: float = 30) -> None:
        """End it in order; after `grace` seconds by force."""
        if self._process is None:
            return
        self._process.send_signal(self.recipe.stop_signal)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would: the process and its children at once, without a farewell."""
        if self._process is None:
            return
        doomed = []
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.pid)
            doomed = [*parent.children(recursive=True), parent]
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        self._process = None
        await_end(doomed)


def await_answer(recipe: Recipe, deadline: float, alive: Callable[[], bool]) -> None:
    """Return when the server answers; LocalError when it died or `deadline` seconds have passed."""
    until = time.monotonic() + deadline
    while not recipe.answers():
        if not alive():
            raise LocalError(f"{recipe.name} ended while starting; {last_words(recipe.log)}")
        if time.monotonic() > until:
            raise LocalError(
                f"{recipe.name} does not answer after {deadline:.0f} s; {last_words(recipe.log)}"
            )
        time.sleep(0.05)


def last_words(log: Path) -> str:
    """Where the log is and how it ends, for an error message."""
    with suppress(OSError):
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return f"the end of {log}:\n  " + "\n  ".join(lines[-8:])
    return f"it wrote no log ({log})"


def free_ports(count: int) -> list[int]:
    """Ports on the loopback that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def check_host(setting: str, host: str) -> None:
    """LocalError that names the setting when nothing on this machine can listen at that address."""
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
    except (OSError, ValueError, TypeError):  # a name that is none
        raise LocalError(
            f"{setting} is {host!r}: an IPv4 address of this machine, or 0.0.0.0 for all of them"
        ) from None


def check_port(setting: str, host: str, port: int) -> None:
    """LocalError when nothing can listen there: who has it, and the setting that changes it."""
    error = None if _is_answered(host, port) else _refusal(host, port)
    if error == 0:
        return
    if error in (errno.EACCES, errno.EPERM):
        raise LocalError(f"port {port} is for root only: set {setting} to a higher one")
    raise LocalError(f"port {port} is taken{_holder(port)}: set {setting} to a free one")


def _holder(port: int) -> str:
    """Who listens on this port, as " by name (process 12)"; "" when unknown."""
    with suppress(psutil.Error):  # only root may look at everybody's
        for each in psutil.net_connections("tcp"):
            listens = each.status == psutil.CONN_LISTEN and each.laddr.port == port
            if listens and each.pid:
                return f" by {psutil.Process(each.pid).name()} (process {each.pid})"
    return ""


def _is_answered(host: str, port: int) -> bool:
    """Also by who listens at another address of this machine than we would."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host or LOOPBACK, port)) == 0


def _refusal(host: str, port: int) -> int:
    """The number of the error, 0 for none."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno or -1
    return 0


def marked(directory: Path) -> list[psutil.Process]:
    """The running processes that were started for `directory`, this one left out."""
    mark = str(directory.resolve())
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process)
    return found


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind (epmd leaves its own parent).

    A container's first process often collects nobody, and what has ended would stay listed.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def collect_orphans() -> None:
    """Take those that have ended off the list of processes."""
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, ChildProcessError):
            if child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)


def sweep(directory: Path, grace: float = 10) -> int:
    """End every process started for `directory`; how many there were.

    A supervisor may start one more before it ends itself, so it is looked again.
    """
    count = 0
    for _ in range(3):
        if not (processes := marked(directory)):
            break
        end(processes, grace)
        count += len(processes)
    return count


def end(processes: list[psutil.Process], grace: float) -> None:
    """SIGTERM to all, and SIGKILL to those that are still there after `grace` seconds."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    stubborn = await_end(processes, grace)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    await_end(stubborn)


def await_end(processes: list[psutil.Process], deadline: float = 10) -> list[psutil.Process]:
    """Return when all have ended, or the rest after `deadline` seconds.

    A process that has ended but was not collected by its parent counts as ended: the collecting
    is not up to us when the parent is somebody else's init.
    """
    until = time.monotonic() + deadline
    while (
        rest := [process for process in processes if runs(process)]
    ) and time.monotonic() < until:
        time.sleep(0.02)
    return rest


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
