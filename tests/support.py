"""What tests use besides fixtures."""

import contextlib
import copy
import datetime
import functools
import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import eventlet
import kombu
import requests
import sqlalchemy as sa
from alembic.config import Config
from nameko.testing.utils import get_extension
from sqlalchemy.orm import Session

from chassis import config as configuration
from chassis.clock import utcnow
from chassis.timers import SteadyTimer
from chassis.trace import new_traceparent
from shop.packages import ROOT

#: Section `web` where all requests come from one address, and none of them is refused for that.
ONE_CLIENT: dict[str, Any] = {
    "probes": True,
    "client_connections": 10**6,
    "client_requests": 10**6,
    "max_sign_ins": 10**6,
    "client_sign_ins": 10**6,
    "client_bodies_limit": 10**9,
    "rate_limits": {name: {"quota": 60_000} for name in ("default", "writes", "sign-in")},
}


#: Intervals of timers, in seconds: the longest that tests wait for, what they wait instead, and
#: the shortest of those that do not begin with a service.
FEW_SECONDS, OFTEN, RARE = 5, 0.5, 60


def eventually(condition: Callable[[], Any], timeout: float = 10, every: float = 0.02) -> Any:
    """The first true value of `condition`; fails with the last one when there is none in time.

    An assertion that fails inside `condition` counts as not yet.
    """
    until = time.monotonic() + timeout
    while True:
        value: Any
        try:
            value = condition()
            if value:
                return value
        except AssertionError as not_yet:
            value = not_yet
        if time.monotonic() > until:
            raise AssertionError(f"not within {timeout} s; last: {value!r}")
        eventlet.sleep(every)


def run_timer(container: Any, method: str) -> None:
    """Run a service's timer once, as its interval would, to its end; raises what it raises.

    Nameko's `entrypoint_hook` returns when any run of the method ends, be it one that the interval
    has begun. This one waits for its own.
    """
    ended = eventlet.Event()

    def end(worker_ctx, result, exc_info):
        ended.send(None) if exc_info is None else ended.send_exception(*exc_info)
        return result, exc_info

    container.spawn_worker(
        get_extension(container, SteadyTimer, method_name=method),
        (),
        {},
        context_data={"traceparent": new_traceparent()},
        handle_result=end,
    )
    ended.wait()


def hurry(container: Any) -> None:
    """Have the timers that a test waits for come round often: those of a few seconds. Rarer ones
    are for `run_timer`: no test begins with what a janitor does every minute."""
    for entrypoint in container.entrypoints:
        if not isinstance(entrypoint, SteadyTimer):
            continue
        if entrypoint.interval <= FEW_SECONDS:
            entrypoint.interval = min(entrypoint.interval, OFTEN)
        if entrypoint.interval >= RARE:
            entrypoint.eager = False


def until_rival_waits(transaction: sa.Connection | Session) -> None:
    """Until somebody waits for a lock that this transaction holds."""
    eventually(lambda: is_waited_for(transaction))


def is_waited_for(transaction: sa.Connection | Session) -> bool:
    """Whether somebody waits for a lock that this transaction holds."""
    blocked = "NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    found = transaction.execute(sa.text(f"SELECT 1 FROM pg_locks WHERE {blocked}"))
    return found.first() is not None


class FakeClock:
    """A clock that runs until it is stopped, and can be put forward."""

    def __init__(self):
        self._ahead, self._stopped = datetime.timedelta(), None

    def __call__(self):
        return (self._stopped or utcnow()) + self._ahead

    def stop(self):
        self._stopped = utcnow()

    def advance(self, **delta):
        self._ahead += datetime.timedelta(**delta)


def purge(vhost):
    """Empty the queues of a vhost that stay; those of a process may go at any moment with it."""
    wanted = "disable_stats=true&columns=name,exclusive,auto_delete"
    queues = requests.get(f"{vhost.queues}?{wanted}", timeout=10).json()
    with kombu.Connection(vhost.uri) as connection, connection.channel() as channel:
        for queue in queues:  # over HTTP it would take ten times as long
            passing = queue["exclusive"] or queue["auto_delete"]
            if not passing and not queue["name"].startswith("rpc.reply-"):  # Nameko's expire
                channel.queue_purge(queue["name"], nowait=True)
        channel.basic_qos(0, 1, False)  # whose answer comes after all that


def settings() -> dict[str, Any]:
    """What `chassis.config.load` reads; the file is parsed once for each environment."""
    return copy.deepcopy(_settings(frozenset(os.environ.items())))


@functools.cache
def _settings(environment: frozenset[tuple[str, str]]) -> dict[str, Any]:
    return configuration.load()


@contextlib.contextmanager
def earlier_installation(servers, package):
    """An empty database of its own for `package`: an engine, and what Alembic's commands take to
    bring it to any version of the tables."""
    url = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    name = f"test_{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine = sa.create_engine(url.set(database=name))
    alembic = Config()
    alembic.set_main_option("script_location", str(ROOT / package / "migrations"))
    alembic.attributes["url"] = engine.url.render_as_string(hide_password=False)
    try:
        yield engine, alembic
    finally:
        engine.dispose()
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@contextlib.contextmanager
def statements(config, package):
    """`run("SELECT ...", name=value)`, each in a transaction of its own in the database of
    `package`; rows as dicts."""
    engine = sa.create_engine(configuration.database_url(config, package))

    def run(statement, **values):
        with engine.begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    yield run
    engine.dispose()
