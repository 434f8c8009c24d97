"""`shop run` on servers of its own: what is in the way, what is left behind, what stays."""

import os
import re
import signal
import socket
import subprocess
import sys

import psutil
import pytest
import requests

from shop.local.place import FOLLOWING
from shop.local.server import free_ports, marked, runs, sweep
from tests.support import eventually

#: What nobody who runs a shop could do anything about.
NOISE = re.compile(
    r"Pool disposed|Pool recreating|without any HTTP auth|Deprecat|Traceback|Unlinking stale"
    r"|route=/readyz status=503",
    re.I,
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone's folder and ports; nothing of it runs at the end."""
    clone = Clone(tmp_path_factory.mktemp("clone") / "var")
    yield clone
    sweep(clone.var, grace=0)


class Clone:
    def __init__(self, var):
        self.var = var
        self.log = var.with_name("log")
        names = ("HTTP_PORT", *FOLLOWING)
        self.ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
        self.ports["METRICS_PORT"] = "0"
        self.url = f"http://127.0.0.1:{self.ports['HTTP_PORT']}"

    def shop(self, *words, **settings):
        """`shop run` and the like as a process; its output is `log`."""
        inherited = {n: v for n, v in os.environ.items() if n not in ("AMQP_URI", "DATABASE_URL")}
        environment = inherited | self.ports | {"SHOP_VAR": str(self.var)} | settings
        with self.log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-c", "from shop.cli import main; main()", *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def run(self):
        """A shop that is ready."""
        process = self.shop("run")
        eventually(lambda: process.poll() is not None or "\nready: " in self.said, timeout=200)
        assert process.poll() is None, self.said
        return process

    @property
    def said(self):
        return self.log.read_text()

    def products(self):
        answer = requests.get(f"{self.url}/api/products?search=lamp&limit=1", timeout=10)
        return answer.json()["items"]


def test_taken_port(clone):
    """A taken port ends it with one line and status 1, before anything is started."""
    with socket.create_server(("127.0.0.1", int(clone.ports["RABBITMQ_PORT"]))):
        process = clone.shop("run")
        assert process.wait(20) == 1
    (line,) = clone.said.splitlines()
    assert f"port {clone.ports['RABBITMQ_PORT']} is taken" in line
    assert "set RABBITMQ_PORT" in line
    assert marked(clone.var) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CORS_ORIGINS", "[", "config: CORS_ORIGINS, line 1, column 2"),
        ("MAX_WORKERS", "many", "config: max_workers: Not a valid integer."),
        ("AMQP_URI", "nonsense", "config: AMQP_URI: "),
        ("AMQP_URI", "amqp://guest:guest@127.0.0.1:port/", "AMQP_URI: not an address of a broker"),
        ("DATABASE_URL", "mysql://h/shop", "config: DATABASE_URL: only PostgreSQL will do"),
    ],
)
def test_wrong_setting(clone, name, value, said):
    """One line and status 2, before anything is started."""
    process = clone.shop("run", **{name: value})
    assert process.wait(30) == 2
    (line,) = clone.said.splitlines()
    assert said in line
    assert marked(clone.var) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LOG_LEVEL", "loud", "config: LOG_LEVEL: not one of DEBUG,"),
        ("ORDER_PAYMENT_WINDOW", "soon", "config: orders.payment_window: Not a valid"),
    ],
)
def test_wrong_setting_of_a_service(clone, name, value, said):
    """The last line names it, long before the services would have been given up."""
    process = clone.shop("run", **{name: value})
    assert process.wait(120) == 2
    assert said in clone.said.splitlines()[-1]
    assert "Traceback" not in clone.said
    assert marked(clone.var) == []


@pytest.mark.timeout(300)
def test_killed_and_started_again(clone):
    """A run that was killed is cleared away by the next one; a signal ends all; the data stay."""
    first = clone.run()
    (product,) = clone.products()
    first.kill()
    first.wait()
    left = {process.name() for process in marked(clone.var)}
    assert {"beam.smp", "epmd", "postgres"} <= left

    second = clone.run()
    assert "an interrupted run left behind" in clone.said
    assert "sample data" not in clone.said
    assert clone.products() == [product]
    other = clone.shop("run", HTTP_PORT="1")
    assert other.wait(20) == 1
    assert "running already" in clone.said

    everything = [*marked(clone.var), *psutil.Process(second.pid).children(recursive=True)]
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    assert not [line for line in clone.said.splitlines() if NOISE.search(line)]
    assert not [process for process in everything if process.is_running()]
    assert (clone.var / "postgres" / "data" / "PG_VERSION").exists()


@pytest.mark.timeout(300)
def test_without_its_supervisor(clone):
    """When supervisord itself is killed, the run says so in one line and leaves nothing running."""
    shop = clone.run()
    everything = psutil.Process(shop.pid).children(recursive=True)
    (supervisor,) = [each for each in everything if "shop.local.supervisord" in each.cmdline()]
    supervisor.kill()
    assert shop.wait(60) == 1
    assert clone.said.splitlines()[-1].startswith("shop: supervisord was killed by SIGKILL")
    assert "Traceback" not in clone.said
    assert not [process for process in everything if runs(process)]
    assert marked(clone.var) == []
