"""The processes of a local shop, and what can be done to them.

`kill` is SIGKILL; supervisord starts the process again. `pause` is SIGSTOP: the process is there,
holds its connections and locks, and does not move. `cut` closes the connections of one process to
RabbitMQ or PostgreSQL, again and again, as a network does that is not there.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import requests
import sqlalchemy as sa

from shop.chaos.plan import CUT, KILL, POSTGRESQL, RABBITMQ, Fault
from shop.local.place import Place
from shop.local.server import marked
from shop.packages import services_of

#: Seconds to wait for a victim that is just being started again.
PATIENCE = 30

_TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = ANY(:services)
"""


class Victims:
    """The processes of the shop at `place`."""

    def __init__(self, place: Place):
        self._place = place
        self._broker = requests.Session()
        self._broker.auth = ("guest", "guest")
        self._database = sa.create_engine(
            place.postgres.uri(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )

    def suffer(self, fault: Fault) -> bool:
        """Do it; False when there was nothing to do it to."""
        if fault.kind == CUT:
            return self._cut(fault)
        process = self._await(fault.victim)
        if process is None:
            return False
        with suppress(psutil.NoSuchProcess):
            if fault.kind == KILL:
                process.kill()
            else:
                self._pause(process, fault.seconds)
            return True
        return False

    def release(self) -> None:
        """Nothing of the shop is left standing still."""
        for process in marked(self._place.var):
            with suppress(psutil.Error):
                process.send_signal(signal.SIGCONT)

    def _pause(self, process: psutil.Process, seconds: float) -> None:
        family = [process, *process.children(recursive=True)]
        try:
            for one in family:
                with suppress(psutil.NoSuchProcess):
                    one.suspend()
            time.sleep(seconds)
        finally:
            for one in reversed(family):
                with suppress(psutil.NoSuchProcess):
                    one.resume()

    def _cut(self, fault: Fault) -> bool:
        services = services_of(fault.victim)
        close = self._close_database if fault.peer == POSTGRESQL else self._close_broker
        closed, until = 0, time.monotonic() + fault.seconds
        while time.monotonic() < until:
            with suppress(requests.RequestException, sa.exc.OperationalError):
                closed += close(services)
            time.sleep(0.1)
        return closed > 0

    def _close_database(self, services: list[str]) -> int:
        with self._database.connect() as connection:
            return connection.execute(sa.text(_TERMINATE), {"services": services}).scalar() or 0

    def _close_broker(self, services: list[str]) -> int:
        api = f"http://127.0.0.1:{self._place.ports['RABBITMQ_MANAGEMENT_PORT']}/api/connections"
        closed = 0
        for connection in self._broker.get(api, timeout=5).json():
            name = connection.get("client_properties", {}).get("connection_name", "")
            if name.split()[:1] and name.split()[0] in services:
                self._broker.delete(f"{api}/{quote(connection['name'], safe='')}", timeout=5)
                closed += 1
        return closed

    def _await(self, victim: str) -> psutil.Process | None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            process = self._find(victim)
            if process is not None:
                return process
            time.sleep(0.1)
        return None

    def _find(self, victim: str) -> psutil.Process | None:
        is_it = _BY_COMMAND.get(victim) or _runs_service(victim)
        for process in marked(self._place.var):
            with suppress(psutil.Error):
                words = process.cmdline()
                if words and is_it(words):
                    return process
        return None


def _runs_service(package: str) -> Callable[[list[str]], bool]:
    return lambda words: "shop.local.service" in words and package in words


_BY_COMMAND = {
    # Its children call themselves "postgres: ...".
    POSTGRESQL: lambda words: Path(words[0]).name == "postgres",
    RABBITMQ: lambda words: "beam" in Path(words[0]).name,
}
