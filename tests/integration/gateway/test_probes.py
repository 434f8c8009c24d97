"""Probes beside the metrics, what is refused before it is read, and what is public at all."""

import socket

import pytest
import requests
from nameko.testing.utils import find_free_port

from gateway.service import GatewayService
from shop.packages import load_services

SERVICES = [service.name for service in load_services() if service is not GatewayService]
PATHS = ("/livez", "/readyz", *(f"/api/{service}/health" for service in SERVICES))


@pytest.fixture
def gateway(config, start, request):
    """A gateway without services behind it: the addresses of its two ports. The parameter is some
    of its settings."""
    config["METRICS_PORT"] = find_free_port()
    start(GatewayService, web={"probes": False} | getattr(request, "param", {}))
    return f"http://{config['WEB_SERVER_ADDRESS']}", f"http://127.0.0.1:{config['METRICS_PORT']}"


def test_probes_are_for_machines_of_ours(gateway):
    """At the port of the metrics, not at the public one."""
    public, own = gateway
    for path in PATHS:
        answer = requests.get(public + path, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    live = requests.get(f"{own}/livez", timeout=10)
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    ready = requests.get(f"{own}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
    assert set(ready.json()["checks"]) == {"broker", *SERVICES}
    assert requests.get(f"{own}/api/users/health", timeout=10).status_code == 503
    assert requests.get(f"{own}/metrics", timeout=10).status_code == 200
    for path in ("/api/products", "/readyz/", "/", "/api/nobody/health"):
        assert requests.get(own + path, timeout=10).status_code == 404
    assert requests.post(f"{own}/livez", timeout=10).status_code == 405


@pytest.mark.parametrize("token", [None, "Bearer forged", "Basic x"])
def test_a_body_is_not_read_for_nobody(gateway, token):
    """Without a token that holds, the head alone is answered: nothing of the body is waited for."""
    host, _, port = gateway[0].removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        sent = f"Authorization: {token}\r\n" if token else ""
        sock.sendall(
            f"POST /api/orders HTTP/1.1\r\nHost: x\r\n{sent}"
            "Content-Type: application/json\r\nContent-Length: 200000\r\n\r\n".encode()
        )
        assert sock.recv(12) == b"HTTP/1.1 401"


@pytest.mark.parametrize("path", ["/", "/docs", "/api", "/api/", "/favicon.ico"])
def test_who_comes_to_look_is_led_somewhere(gateway, path):
    """A browser that is given our address finds the description."""
    answer = requests.get(gateway[0] + path, timeout=10)
    assert answer.status_code == 200
    assert answer.history[0].status_code == 302
    assert answer.headers["Content-Type"].startswith("image/png" if "icon" in path else "text/html")


@pytest.mark.parametrize("gateway", [{"docs": False}], indirect=True)
def test_the_description_can_be_switched_off(gateway):
    """It is nowhere then, and nothing leads to it; what it describes is there."""
    for path in (
        "/api/openapi.json", "/api/docs", "/api/docs/", "/api/docs/docs.css", "/api/docs/README",
        "/", "/docs", "/api", "/favicon.ico",
    ):  # fmt: skip
        answer = requests.get(gateway[0] + path, timeout=10, allow_redirects=False)
        assert (answer.status_code, answer.json()["title"]) == (404, "Nothing is at this path")
        assert requests.post(gateway[0] + path, timeout=10).status_code == 404
    assert requests.get(f"{gateway[0]}/api/carts", timeout=10).status_code == 401
