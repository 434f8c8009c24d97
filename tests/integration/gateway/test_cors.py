"""Pages of other origins, as an operator names them."""

import requests

from chassis import config as configuration

ORIGIN = "https://shop.example"
ASKED = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,idempotency-key",
}


def test_a_page_that_is_named_may_use_the_api(door, user, monkeypatch):
    """`CORS_ORIGINS` lets its preflights and requests through; a page elsewhere is told nothing."""
    monkeypatch.setenv("CORS_ORIGINS", f'["{ORIGIN}"]')
    door = door(web={"cors": configuration.load()["web"]["cors"]})
    url = f"http://{door.address}/api/notifications"
    asked = requests.options(url, headers=ASKED, timeout=10)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]
    signed = {"Authorization": f"Bearer {door.token(user)}"}
    read = requests.get(url, headers=signed | {"Origin": ORIGIN}, timeout=10)
    assert (read.status_code, read.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    assert "Idempotent-Replayed" in read.headers["Access-Control-Expose-Headers"]
    other = requests.get(url, headers=signed | {"Origin": "https://evil.example"}, timeout=10)
    assert "Access-Control-Allow-Origin" not in other.headers


def test_nobody_is_named_unless_configured(door):
    """No header of CORS, not even in answer to a preflight."""
    url = f"http://{door().address}/api/notifications"
    for answer in (requests.options(url, headers=ASKED, timeout=10), requests.get(url, timeout=10)):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
