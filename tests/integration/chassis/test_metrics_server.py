"""The server of the metrics: what is sent to it, and when it comes and goes."""

import contextlib
import socket
import time

import eventlet
import pytest
import requests
from nameko.testing.utils import find_free_port

from chassis.container import ServiceContainer
from chassis.metrics import exporter
from tests.integration.chassis.world import Middle, Speaker


@pytest.fixture
def port(scrape, call, start):
    """The port of a process with two services."""
    start(Middle)
    return scrape.port


def send(port, data):
    """What comes back, byte for byte."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(data)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def test_several_services_of_a_process_share_it(port, scrape):
    """One port, whatever runs in the process."""
    assert {"tester", "middle"} <= {dict(key)["service"] for key in scrape()["shop_workers"]}


def test_it_has_nothing_else(port):
    """Another path is 404, another method 405."""
    url = f"http://127.0.0.1:{port}"
    assert requests.get(f"{url}/", timeout=5).status_code == 404
    assert requests.get(f"{url}/metrics/", timeout=5).status_code == 404
    refused = requests.post(f"{url}/metrics", timeout=5)
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET"
    answer = requests.get(f"{url}/metrics?name=x", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"G" * 100_000,
    ],
)
def test_garbage_is_refused(port, scrape, garbage):
    """A 400, and the process lives on."""
    with contextlib.suppress(ConnectionError):  # it would not read that much
        assert send(port, garbage).startswith(b"HTTP/1.1 400 ")
    assert scrape().value("shop_workers", service="middle") > 0


def test_garbage_makes_no_series(port, scrape, call):
    """Neither does what is sent to it, nor a call for a method that is none."""
    scrape()
    before = scrape().series
    for number in range(5):
        send(port, f"GET /metrics/{number} HTTP/1.1\r\n\r\n".encode())
        with pytest.raises(Exception):  # noqa: B017, PT011  (whatever it is)
            getattr(call.middle, f"method{number}")()
    grown = {(name, labels) for name, labels in scrape().series - before}
    assert {name.rpartition("_")[0] for name, _ in grown} <= {
        "shop_rpc_calls",
        "shop_rpc_call_seconds",
    }
    assert all(dict(labels)["target"] == "middle" for _, labels in grown)


def test_slow_clients_are_cut_off(port, scrape, monkeypatch):
    """Those who take all places and say nothing go after a while; a scrape waits for that."""
    monkeypatch.setattr(exporter, "_TIMEOUT", 1)
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
    began = time.monotonic()
    assert scrape().value("shop_workers", service="middle") > 0
    assert time.monotonic() - began < 4
    for sock in idle:
        sock.close()


def test_it_ends_with_the_last_service(config, scrape, call, start):
    """Stopping waits for nobody who is still connected; the port is free then."""
    (middle,) = start(Middle)
    idle = socket.create_connection(("127.0.0.1", scrape.port))
    began = time.monotonic()
    middle.stop()
    assert time.monotonic() - began < 5
    assert "middle" not in {dict(key)["service"] for key in scrape()["shop_workers"]}
    call._container.kill()
    idle.close()
    with pytest.raises(requests.ConnectionError):
        scrape()
    start(Middle)  # takes it again
    assert scrape().value("shop_workers", service="middle") > 0


def test_a_taken_port_is_one_line(config):
    """The process ends before it has touched anything."""
    taken = eventlet.listen(("127.0.0.1", 0), reuse_port=False)
    port = taken.getsockname()[1]
    with pytest.raises(SystemExit) as ended:
        ServiceContainer(Speaker, config | {"METRICS_PORT": port})
    assert str(ended.value) == (
        f"speaker: Can't listen on 127.0.0.1:{port} (METRICS_PORT): Address already in use"
    )
    taken.close()


def test_without_a_port_there_is_none(config, start):
    """0, or an empty setting, is no server."""
    for nothing in (0, None):
        container = ServiceContainer(Middle, config | {"METRICS_PORT": nothing})
        assert container._exporter is None
    with pytest.raises(SystemExit, match="METRICS_PORT"):
        ServiceContainer(Middle, config | {"METRICS_PORT": find_free_port() + 100_000})
