"""supervisord keeps the servers and the services' processes running: what dies is started again.

The servers start with it, the services' processes when they are asked for (`shop.local.control`).
All gateways accept from one socket, which is open from the begin of the shop to its end
(`shop.local.supervisord`): what a gateway that stops or dies has not accepted, the next one does.

It stops them in order, each group at once: the gateway, which lets its requests finish; the
services; RabbitMQ and PostgreSQL.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from shop.local.control import SERVICES, USER
from shop.local.place import ROOT, Place, write_private
from shop.local.scale import Scale, first_slots, slots
from shop.local.server import MARK, Recipe
from shop.packages import GATEWAY, SERVICE_PACKAGES

#: Lower starts first and stops last.
SERVERS_FIRST, SERVICES_NEXT, GATEWAY_LAST = 1, 2, 3

#: What supervisord writes there is the number of a service's process, from 1 on.
_SLOT = "%(process_num)d"

#: What glibc is told of memory: the threads that hash passwords share an arena, and the 19 MB that
#: each hash takes go back at once instead of being kept for the next.
MEMORY = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1048576"}

#: A process that lived so long is started again at once, one that did not a second later, then
#: two, three, and so on, without an end.
SETTLED_SECONDS = 2
WITHOUT_END = 1_000_000


def start(place: Place, scale: Scale) -> subprocess.Popen:
    """supervisord as a child; its output, and that of the services, is a pipe to be read."""
    place.control.unlink(missing_ok=True)  # of a run that was killed; supervisord would tell of it
    file = place.var / "supervisord.conf"
    write_private(file, configuration(place, scale))
    environment = os.environ | place.environment()
    environment |= {
        MARK: str(place.var),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",  # they are the tests' business
    }
    return subprocess.Popen(
        [sys.executable, "-m", "shop.local.supervisord", "-c", str(file)],
        cwd=place.var,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C in the terminal is for `shop run` to handle
    )


def configuration(place: Place, scale: Scale) -> str:
    """supervisord's configuration file for the processes of `place`."""
    daemon = {
        "nodaemon": "true",
        "logfile": "/dev/null",
        "logfile_maxbytes": 0,
        "loglevel": "warn",  # what died and will be started again
        "pidfile": place.var / "supervisord.pid",
    }
    if os.geteuid() == 0:
        daemon["user"] = "root"  # said out loud, or it warns
    # The socket is for its owner alone; without a password supervisord warns of that at each start.
    login = {"username": USER, "password": place.control_password}
    interface = "supervisor.rpcinterface:make_main_rpcinterface"
    sections = [
        _section("supervisord", daemon),
        _section("unix_http_server", {"file": place.control} | login),
        _section("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": interface}),
        _section("supervisorctl", {"serverurl": f"unix://{place.control}"} | login),
    ]
    sections += [_server(recipe, place.var) for recipe in place.servers]
    services = [package for package in SERVICE_PACKAGES if package != GATEWAY]
    sections += [_section(f"program:{name}", _service(name, place, scale)) for name in services]
    sections += [_gateways(place, scale)]
    servers = [recipe.name.lower() for recipe in place.servers]
    sections += [_group("servers", servers, SERVERS_FIRST)]
    sections += [_group(SERVICES, services, SERVICES_NEXT)]
    return "\n".join(sections)


def _group(name: str, programs: list[str], priority: int) -> str:
    if not programs:
        return ""
    return _section(f"group:{name}", {"programs": ",".join(programs), "priority": priority})


def _server(recipe: Recipe, var: Path) -> str:
    environment = ",".join(f'{name}="{value}"' for name, value in recipe.environment().items())
    options = {
        "command": shlex.join(recipe.command()),
        "environment": environment,
        "stopsignal": recipe.stop_signal.name.removeprefix("SIG"),
        "stopwaitsecs": 40,
        # Relative to var/, for supervisord trips over a percent sign in this one value.
        "stdout_logfile": recipe.log.relative_to(var),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 1,
    }
    return _section(f"program:{recipe.name.lower()}", options | _restarted())


def _service(package: str, place: Place, scale: Scale) -> dict[str, object]:
    metrics = place.metrics_port(first_slots(scale)[package])
    words = [sys.executable, "-m", "shop.local.service", package, _SLOT, metrics, place.gate]
    return {
        "command": shlex.join(map(str, words)),
        "process_name": f"{package}-{_SLOT}",
        "numprocs": slots(scale, package),
        "numprocs_start": 1,
        "autostart": "false",
        "directory": ROOT,
        "environment": ",".join(f'{name}="{value}"' for name, value in MEMORY.items()),
        "stopwaitsecs": 20,
        "killasgroup": "true",
        "stdout_logfile": "/dev/fd/1",
        "stdout_logfile_maxbytes": 0,
    } | _restarted()


def _gateways(place: Place, scale: Scale) -> str:
    """The gateways, whose socket is their standard input."""
    options = _service(GATEWAY, place, scale)
    environment = f'{options["environment"]},HTTP_LISTEN_FD="0"'
    host = place.http_host or "0.0.0.0"  # noqa: S104
    socket = f"tcp://{host}:{place.ports['HTTP_PORT']}"
    more = {"environment": environment, "socket": socket, "priority": GATEWAY_LAST}
    return _section(f"fcgi-program:{GATEWAY}", options | more)


def _restarted() -> dict[str, object]:
    return {
        "autorestart": "true",
        "startsecs": SETTLED_SECONDS,
        "startretries": WITHOUT_END,
        "redirect_stderr": "true",
    }


def _section(name: str, options: dict[str, object]) -> str:
    # supervisord expands %(name)s in every value.
    lines = [
        f"{key} = {str(value).replace('%', '%%').replace('%' + _SLOT, _SLOT)}"
        for key, value in options.items()
    ]
    return "\n".join([f"[{name}]", *lines, ""])
