"""`shop run`: everything the shop needs, on this machine, until a signal ends it.

RabbitMQ takes longest to start, so all that does not need it happens meanwhile: PostgreSQL, the
migrations, the loading of the services' code.
"""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlsplit

from shop import sample
from shop.local import settings, supervision
from shop.local.control import Control
from shop.local.install import install_rabbitmq
from shop.local.place import Place, clone_folder, running
from shop.local.rabbitmq import speaks_amqp
from shop.local.ready import await_consumers
from shop.local.scale import Scale, scale_of, slots
from shop.local.server import (
    LocalError,
    Recipe,
    adopt_orphans,
    await_answer,
    collect_orphans,
    marked,
    sweep,
)
from shop.local.terminal import Terminal
from shop.migrate import answering, bound_queues, declare_queues, migrate
from shop.operate.broker import parameters_of
from shop.operate.settings import read
from shop.packages import load_services

#: Seconds for each server to answer, and for the services after that.
PATIENCE = 120

#: Seconds for everything to end in order: requests and events in hand, then the servers.
GRACE = 90

#: Connections to PostgreSQL that one process may open, with room to spare.
CONNECTIONS = 30


def run(wishes: Iterable[str] = ()) -> None:
    """Start the shop, show its logs, and end it on SIGINT, SIGTERM or SIGHUP. `wishes` say how many
    processes of which service (`shop.local.scale`).

    LocalError when something is in the way; nothing is left running then either.
    """
    scale = scale_of(wishes)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    adopt_orphans()
    terminal = Terminal()
    place = _roomy(Place.from_environment(), scale)
    with place.lock():
        try:
            _prepare(place, scale, terminal)
            _serve(place, scale, terminal)
        except KeyboardInterrupt:
            terminal.say("stopped; the data are in var/")


def stop() -> None:
    """End this clone's shop, and what a run that was killed left behind."""
    terminal = Terminal()
    var = clone_folder()
    if process := running():
        terminal.say(f"stopping the shop (process {process})")
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
        until = time.monotonic() + GRACE
        while running() and time.monotonic() < until:
            time.sleep(0.1)
    if left := sweep(var, grace=20):
        terminal.say(f"stopped {left} processes that an interrupted run had left behind")


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _roomy(place: Place, scale: Scale) -> Place:
    """With connections to PostgreSQL for so many processes."""
    if place.postgres is None:
        return place
    wanted = CONNECTIONS * sum(slots(scale, package) for package in scale)
    most = max(place.postgres.max_connections, wanted)
    return replace(place, postgres=replace(place.postgres, max_connections=most))


def _prepare(place: Place, scale: Scale, terminal: Terminal) -> None:
    """All that can be in the way, before any process is started."""
    read()
    place.gate.unlink(missing_ok=True)
    if left := marked(place.var):
        terminal.say(f"stopping {len(left)} processes that an interrupted run left behind")
        sweep(place.var, grace=20)
    place.check_ports(sum(slots(scale, package) for package in scale))
    place.renew_secrets()
    if place.rabbitmq:
        install_rabbitmq(terminal.say)
        place.rabbitmq.prepare()
    else:
        _check_broker(os.environ["AMQP_URI"])
    if place.postgres:
        if not place.postgres.data.exists():
            terminal.say("creating PostgreSQL's data in var/postgres")
        place.postgres.prepare()
    place.record()


def _check_broker(uri: str) -> None:
    parameters_of(uri)
    parts = urlsplit(uri)
    port = parts.port or (5671 if parts.scheme == "amqps" else 5672)
    if parts.scheme != "amqps" and not speaks_amqp(parts.hostname, port):
        raise LocalError(
            f"no RabbitMQ answers at {parts.hostname}:{port} (AMQP_URI); without AMQP_URI, this"
            " command starts one of its own"
        )


def _serve(place: Place, scale: Scale, terminal: Terminal) -> None:
    """Start all, say when it is ready, return when it has ended; KeyboardInterrupt passes on."""
    for recipe in place.servers:
        terminal.say(f"starting {recipe.name} on port {recipe.ports[0]}")
    supervisor = supervision.start(place, scale)
    logs = terminal.relay(supervisor.stdout)
    try:
        _begin_services(place, scale, supervisor)
        _bring_up(place, scale, terminal, supervisor)
        raise LocalError(_ending(supervisor.wait()))
    finally:
        _shut_down(place, terminal, supervisor)
        logs.join(5)


def _begin_services(place: Place, scale: Scale, supervisor: subprocess.Popen) -> None:
    """They load their code, and wait for the gate."""
    with Control(
        place.control, place.control_password, lambda: supervisor.poll() is None
    ) as control:
        for package, count in scale.items():
            for name in list(control.processes(package))[:count]:
                control.start(name)


def _bring_up(place: Place, scale: Scale, terminal: Terminal, supervisor: subprocess.Popen) -> None:
    os.environ.update(place.environment())  # config.yaml is read with it
    config = read()
    services = load_services()
    settings.check(config, services)
    if place.postgres:
        _await(place.postgres, supervisor, terminal)
    terminal.say("migrating the databases")
    with answering():
        migrate(config, progress=terminal.say)
    if place.rabbitmq:
        _await(place.rabbitmq, supervisor, terminal)
    terminal.say("declaring the queues")
    with answering():
        declare_queues(config, services)
        bound_queues(config, terminal.say)
    place.gate.touch()
    terminal.say("starting the services")
    if place.postgres:  # a database of others gets nothing that it did not ask for
        sample.load(config, terminal.say, accounts=True)
    # First what logs nothing: each question about readiness is a request, with a line of its own.
    await_consumers(config["AMQP_URI"], scale, PATIENCE)
    _await_ready(place, supervisor)
    collect_orphans()
    _say_where(place, terminal)
    terminal.line(f"ready: {place.url}")


def _await(recipe: Recipe, supervisor: subprocess.Popen, terminal: Terminal) -> None:
    await_answer(recipe, PATIENCE, lambda: supervisor.poll() is None)
    terminal.say(f"{recipe.name} is ready")


def _await_ready(place: Place, supervisor: subprocess.Popen) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{place.url}/readyz", timeout=5):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:  # HTTP_PROBES=false: RabbitMQ will tell
                return
            said = error.read().decode(errors="replace")
        except OSError as error:
            said = str(error)
        if supervisor.poll() is not None:
            raise LocalError(_ending(supervisor.returncode))
        time.sleep(0.1)
    raise LocalError(f"not ready after {PATIENCE} s: {said}")


def _ending(status: int) -> str:
    if status < 0:
        return f"supervisord was killed by {signal.Signals(-status).name}, so the shop has ended"
    return f"supervisord has ended (status {status}); the log above may say why"


def _say_where(place: Place, terminal: Terminal) -> None:
    terminal.line(f"  shop        {place.url}/api/products")
    if place.rabbitmq:
        terminal.line(f"  RabbitMQ    {place.rabbitmq.page}  (guest, guest)")
    if place.postgres:
        address = f"127.0.0.1:{place.postgres.port}"
        terminal.line(f"  PostgreSQL  {address}  (postgres, password in var/postgres/password)")
        people = ", ".join(account["email"] for account in sample.ACCOUNTS)
        terminal.line(f"  accounts    {people}  (password {sample.PASSWORD})")
    terminal.line(f"  mails       {place.environment()['MAIL_OUTBOX']}/")


def _shut_down(place: Place, terminal: Terminal, supervisor: subprocess.Popen) -> None:
    """End all in order; by force when that takes too long or a second signal comes."""
    terminal.say("stopping (RabbitMQ takes some seconds)")
    try:
        supervisor.terminate()
        supervisor.wait(GRACE)
        sweep(place.var)  # epmd outlives its node
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        sweep(place.var, grace=0)
    collect_orphans()
