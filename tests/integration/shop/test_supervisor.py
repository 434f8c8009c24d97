"""supervisord under `shop run`, with small programs in place of the services: it goes on, and so
does the socket from which the gateways accept, whatever happens to its children."""

import contextlib
import random
import socket
import time

import psutil
import pytest

from shop.local import supervision
from shop.local.control import Control
from shop.local.place import Place
from shop.local.scale import scale_of
from shop.local.server import LocalError, await_end, free_ports
from tests.support import eventually

ROUNDS = 30
#: What stands in for a service: it does nothing, or accepts from standard input as gateways do.
STAND_IN = """
import os, socket, time
if os.environ.get("HTTP_LISTEN_FD") == "0":
    with socket.socket(fileno=0) as door:
        while True:
            client, _ = door.accept()
            client.recv(16)
            client.sendall(b"%d" % os.getpid())
            client.close()
time.sleep(600)
"""


class Supervised:
    """A running supervisord; `start(...)` has it start processes such as `orders-1`."""

    def __init__(self, place, scale):
        place.renew_secrets()
        self.place = place
        self.port = place.ports["HTTP_PORT"]
        self.daemon = supervision.start(place, scale)
        self.control = Control(
            place.control, place.control_password, lambda: self.daemon.poll() is None
        )
        with self.control:
            self.names = [
                name
                for package, count in scale.items()
                for name in list(self.control.processes(package))[:count]
            ]
            for name in self.names:
                self.control.start(name)

    def pids(self, *, gateways):
        """Of the children of one kind; only of those that have begun their program."""
        found = set()
        for child in psutil.Process(self.daemon.pid).children():
            with contextlib.suppress(psutil.Error):
                words = child.cmdline()
                if "shop.local.service" in words and ("gateway" in words) == gateways:
                    found.add(child.pid)
        return found

    def kill(self, *, gateways):
        """All of one kind; return when they are dead."""
        killed = [psutil.Process(pid) for pid in self.pids(gateways=gateways)]
        for process in killed:
            process.kill()
        assert await_end(killed) == []

    def is_whole(self):
        """Whether all are there that were started."""
        assert self.daemon.poll() is None, self.daemon.stdout.read().decode()
        count = len(self.pids(gateways=True)) + len(self.pids(gateways=False))
        return count == len(self.names)

    def knock(self):
        """A connection on which something was asked, and not yet read what came back."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.sendall(b"who?")
        return client

    def end(self):
        children = psutil.Process(self.daemon.pid).children() if self.daemon.poll() is None else []
        self.daemon.terminate()
        self.daemon.wait(30)
        assert await_end(children) == []
        self.daemon.stdout.close()


@pytest.fixture
def supervised(tmp_path, monkeypatch):
    """`supervised("gateway=2")`."""
    program = tmp_path / "shop" / "local" / "service.py"
    program.parent.mkdir(parents=True)
    program.write_text(STAND_IN)
    monkeypatch.setattr(supervision, "ROOT", tmp_path)
    monkeypatch.setattr(supervision, "SETTLED_SECONDS", 0)
    ports = {"HTTP_PORT": free_ports(1)[0], "METRICS_PORT": 0}
    place = Place(tmp_path / "var", "127.0.0.1", ports, rabbitmq=None, postgres=None)
    place.var.mkdir()
    with contextlib.ExitStack() as stack:

        def start(*wishes):
            found = Supervised(place, scale_of(wishes))
            stack.callback(found.end)
            eventually(found.is_whole, timeout=20)
            return found

        yield start


@pytest.mark.timeout(120)
@pytest.mark.parametrize("gateways", [1, 2, 3])
def test_all_die_and_then_the_gateways(supervised, gateways):
    """While the services are just being started again, a gateway that dies does not end the shop,
    and who asks meanwhile is answered by the next one."""
    shop = supervised(f"gateway={gateways}")
    chance = random.Random(gateways)
    for _ in range(ROUNDS // 3):
        before = shop.pids(gateways=True)
        shop.kill(gateways=False)
        time.sleep(chance.uniform(0, 0.12))
        shop.kill(gateways=True)
        with shop.knock() as client:
            answered_by = int(client.recv(16))
            assert answered_by not in before
        eventually(shop.is_whole, timeout=20)


def test_an_address_that_somebody_else_took(supervised):
    """After it was checked, as when two clones start at once: one line, and no waiting."""
    place = supervised("gateway=1").place
    place.control.rename(place.control.with_name("first"))
    second = supervision.start(place, scale_of(()))
    said, _ = second.communicate(timeout=20)
    assert second.returncode == 1
    (line,) = said.decode().splitlines()
    assert line.startswith("supervisord: Could not create FastCGI socket")
    assert "Address already in use" in line
    door = Control(place.control, place.control_password, lambda: second.poll() is None)
    with pytest.raises(LocalError, match="supervisord has ended; the log above says why"), door:
        pass
