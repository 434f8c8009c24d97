"""HAProxy's configuration: what one client may have, before a gateway sees it."""

import pathlib
import re
import shutil
import socket
import subprocess

import pytest
from nameko.testing.utils import find_free_port

from tests.support import eventually
from tests.unit.chassis.web_toy import running

CONFIGURATION = pathlib.Path(__file__).parents[3] / "deploy" / "proxy" / "haproxy.cfg"
ASK = b"GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:.venv/bin")

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="no haproxy: .ci/haproxy brings it")


@pytest.fixture
def proxy(tmp_path):
    """The port of the proxy, whose clients may have 3 connections and send 20 requests at once."""
    port = find_free_port()
    with running(trusted_proxies=1) as toy:
        text = CONFIGURATION.read_text().replace("bind :8000", f"bind 127.0.0.1:{port}")
        text = text.replace("bind :8404", f"bind 127.0.0.1:{find_free_port()}")
        text = re.sub(r"    default-server .*", "", text)
        text = re.sub(r"    server-template .*", f"    server one 127.0.0.1:{toy.port}", text)
        path = tmp_path / "haproxy.cfg"
        path.write_text(text)
        few = {"CLIENT_CONNECTIONS": "3", "CLIENT_REQUESTS_IN_10S": "20"}
        process = subprocess.Popen([HAPROXY, "-db", "-f", path], env=few)
        eventually(lambda: ask(port, "127.0.0.9"))
        yield port
        process.terminate()
        process.wait()


def connect(port, address):
    return socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(address, 0))


def ask(port, address, sock=None):
    """The status of a request; 0 when there is no answer."""
    try:
        with sock or connect(port, address) as asking:
            asking.sendall(ASK)
            return int(asking.recv(65536)[9:12] or 0)
    except OSError:
        return 0


def test_an_address_has_so_many_connections(proxy):
    """More are closed at once; others come in; what is closed counts no longer."""
    held = [connect(proxy, "127.0.0.2") for _ in range(3)]
    # Answered, so it is counted: the proxy's threads accept connections in an order of their own.
    for sock in held:
        sock.sendall(ASK)
        assert b" 200 " in sock.recv(65536)
    assert ask(proxy, "127.0.0.2") == 0
    assert ask(proxy, "127.0.0.3") == 200
    assert ask(proxy, "127.0.0.2", held.pop()) == 200
    eventually(lambda: ask(proxy, "127.0.0.2") == 200)
    for sock in held:
        sock.close()


def test_an_address_sends_so_many_requests(proxy):
    """One too many is a 429 that says when to come back; others are served."""
    assert [ask(proxy, "127.0.0.4") for _ in range(21)] == [200] * 20 + [429]
    assert ask(proxy, "127.0.0.5") == 200
