"""supervisord of a running shop, asked over its socket: which processes run, start one, stop one.

`supervisorctl -c var/supervisord.conf` talks to the same socket.
"""

import time
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from shop.local.server import LocalError
from shop.packages import GATEWAY

#: The group of all services but the gateway, which supervisord stops at once.
SERVICES = "services"
#: Who asks supervisord; only `shop run` and `shop restart` know the password.
USER = "shop"
#: States in which a process is there, or will be without anybody's doing.
_UP = ("STARTING", "RUNNING", "BACKOFF")
#: Seconds for supervisord to open its socket.
_PATIENCE = 20


class Control:
    """The processes of the services by name, such as `orders-2`; `is_alive` says whether there is
    a supervisord to wait for."""

    def __init__(self, path: Path, password: str, is_alive: Callable[[], bool] = lambda: True):
        transport = SupervisorTransport(USER, password, f"unix://{path}")
        self._supervisord = ServerProxy("http://supervisor", transport=transport, allow_none=True)
        self._path = path
        self._is_alive = is_alive

    def __enter__(self) -> "Control":
        """Wait until supervisord can be asked; LocalError when it can't."""
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            if not self._is_alive():
                raise LocalError("supervisord has ended; the log above says why")
            if time.monotonic() > until:
                raise LocalError(f"supervisord does not answer at {self._path}")
            time.sleep(0.05)
        return self

    def __exit__(self, *error: object) -> None:
        self._supervisord("close")()

    def processes(self, package: str) -> dict[str, bool]:
        """Each slot of a service in order, and whether a process is up there."""
        found = {}
        for process in self._supervisord.supervisor.getAllProcessInfo():
            name, _, number = process["name"].rpartition("-")
            if name == package:
                found[int(number)] = (process["name"], process["statename"] in _UP)
        return dict(found[number] for number in sorted(found))

    def start(self, name: str) -> None:
        """Begin to start it; nothing to do if it is up."""
        try:
            self._supervisord.supervisor.startProcess(_full(name), False)
        except Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise LocalError(f"{name} can't be started: {fault.faultString}") from None

    def stop(self, name: str) -> None:
        """End it in order, and return when it has ended."""
        try:
            self._supervisord.supervisor.stopProcess(_full(name))
        except Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise LocalError(f"{name} can't be stopped: {fault.faultString}") from None

    def _answers(self) -> bool:
        try:
            return bool(self._supervisord.supervisor.getState())
        except (OSError, HTTPException):
            self._supervisord("close")()
            return False


def _full(name: str) -> str:
    package, _, _ = name.rpartition("-")
    return f"{GATEWAY if package == GATEWAY else SERVICES}:{name}"
