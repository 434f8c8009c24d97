"""The services as processes of their own, each of which another one can replace at once."""

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import sys

import kombu
import sqlalchemy as sa
from nameko.containers import get_container_cls

from chassis import config as configuration
from chassis.errors import Fault, NotFound
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service
from shop.local.place import ROOT
from tests.conftest import Caller
from tests.support import eventually

PACKAGES = ("products", "orders", "payments", "notifications")
HOOK = pathlib.Path(__file__).with_name("hook")


class UsersStandIn(Service):
    """Everybody can be reached."""

    name = "users"

    @rpc
    def contacts(self, user_ids):
        return {
            "items": [
                {
                    "id": user_id,
                    "email": f"{user_id}@example.com",
                    "email_verified": True,
                    "phone": None,
                }
                for user_id in user_ids
            ]
        }

    @rpc
    def default_address(self, user_id):
        raise NotFound


class Nursery:
    """The processes of one service, one after the other (`tests.chaos.crash.nursery`)."""

    def __init__(self, package, environment, log):
        self._pid = None
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.crash.nursery", package],
            cwd=ROOT,
            env=environment,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )

    def bear(self):
        """Have the next process; the last one has ended."""
        self._program.stdin.write(b"\n")
        self.status = None
        self._pid = eventually(self._said, timeout=90)

    def poll(self):
        """The status of its last process, None while that runs."""
        if self.status is None:
            self.status = self._said()
        return self.status

    def _said(self):
        told, _, _ = select.select([self._program.stdout], [], [], 0)
        return int(self._program.stdout.readline()) if told else None

    def close(self):
        if self._pid and self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)
        self._program.kill()
        self._program.communicate()


class Shop:
    """`call` is RPC from outside; `lost` are the ids of events that a test has thrown away."""

    def __init__(self, config, folder):
        self.config = config
        self.outbox = folder / "outbox"
        self.control = folder / "control"
        self.control.mkdir()
        self.lost = set()
        (self.control / "reached").touch()
        self.ahead(0)
        self._log = (folder / "log").open("w")
        self._nurseries = {package: self._nursery(package) for package in PACKAGES}
        self._engines = {
            package: sa.create_engine(configuration.database_url(config, package))
            for package in PACKAGES
        }
        names = ("inventory", "products", "orders", "payments")
        proxies = {name: RpcProxy(name, timeout=20) for name in names}
        tester = type("Tester", (Service,), {"name": "tester", **proxies})
        self._containers = [
            get_container_cls(config)(service, config) for service in (UsersStandIn, tester)
        ]
        for container in self._containers:
            container.start()
        self.call = Caller(self._containers[1], timeout=20)
        for package in PACKAGES:
            self.start(package)
        for name in names:
            eventually(lambda name=name: self._answers(name), timeout=90)

    def _answers(self, name):
        with contextlib.suppress(Fault):
            return getattr(self.call, name).health()

    def close(self):
        for nursery in self._nurseries.values():
            nursery.close()
        for container in self._containers:
            container.kill()
        for engine in self._engines.values():
            engine.dispose()
        self._log.close()

    def sql(self, package, statement, **values):
        """Rows of a service's database."""
        with self._engines[package].begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return result.all() if result.returns_rows else []

    def engine(self, package):
        return self._engines[package]

    # Processes

    def start(self, package):
        """Have a process go to work; the one before has ended."""
        self._nurseries[package].bear()

    def arm(self, point):
        """The next time that a process of its package comes to `point`, it dies."""
        _write(self.control / "armed", f"{point.package} {point.at}")

    def died(self, point):
        """Wait until it has happened, there and nowhere else."""
        nursery = self._nurseries[point.package]
        eventually(lambda: nursery.poll() is not None, timeout=30)
        assert nursery.status == -signal.SIGKILL
        assert not (self.control / "armed").exists()

    def reached(self, step):
        """How often a step was reached, by all processes."""
        return (self.control / "reached").read_text().splitlines().count(step)

    def revive(self):
        """Whatever a test that failed has left, the next one finds all processes at work."""
        (self.control / "armed").unlink(missing_ok=True)
        for package, nursery in self._nurseries.items():
            if nursery.poll() is not None:
                self.start(package)

    def ahead(self, seconds):
        """Put the clocks of all processes forward, `seconds` in all."""
        self._ahead = seconds
        _write(self.control / "ahead", str(seconds))

    def advance(self, seconds):
        self.ahead(self._ahead + seconds)

    def lose(self, queue):
        """Take the message that is to come out of a queue that nobody reads just now."""
        with kombu.Connection(self.config["AMQP_URI"]) as connection:
            channel = connection.channel()
            eventually(lambda: channel.queue_purge(queue) == 1, timeout=30)

    def forget(self, queue):
        """Lose what the dead reader of a queue had begun. Nothing may be there: a call that is past
        its deadline goes by itself."""
        with kombu.Connection(self.config["AMQP_URI"]) as connection:
            channel = connection.channel()
            readers = lambda: channel.queue_declare(queue, passive=True).consumer_count  # noqa: E731
            eventually(lambda: readers() == 0, timeout=30)  # with it, what was under way is back
            channel.queue_purge(queue)

    def _nursery(self, package):
        environment = os.environ | {
            "AMQP_URI": self.config["AMQP_URI"],
            "DATABASE_URL": self.config["DATABASE_URL"],
            "MAIL_OUTBOX": str(self.outbox),
            "METRICS_PORT": "0",
            "PYTHONPATH": os.pathsep.join([str(HOOK), str(ROOT)]),
            "PYTHONWARNINGS": "ignore",
            "CRASH_CONTROL": str(self.control),
            "CRASH_PACKAGE": package,
        }
        return Nursery(package, environment, self._log)


def _write(path, text):
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)


@contextlib.contextmanager
def running(config, folder):
    """A `Shop` for as long as that lasts."""
    shop = Shop(config, folder)
    try:
        yield shop
    finally:
        shop.close()
