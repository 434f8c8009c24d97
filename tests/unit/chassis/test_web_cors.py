"""What pages of other origins are told."""

import pytest
import requests
from marshmallow import ValidationError

from chassis.web.cors import CorsSettings
from tests.unit.chassis.web_toy import running

SHOP, EVIL = "https://shop.example", "https://evil.example"


@pytest.fixture(scope="module")
def toy():
    with running(cors={"origins": [SHOP, "http://localhost:3000"]}) as service:
        yield service


def allowed(answer):
    """The CORS headers of an answer."""
    return {k: v for k, v in answer.headers.items() if k.startswith("Access-Control-")}


def preflight(toy, path="/closed", origin=SHOP):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return requests.options(toy.url + path, headers=headers, timeout=5)


def test_nothing_is_said_when_nothing_is_configured():
    """Neither for a preflight nor for a request; and no cache has to tell origins apart."""
    with running() as toy:
        for answer in (
            preflight(toy),
            requests.get(toy.url + "/alive", headers={"Origin": SHOP}, timeout=5),
        ):
            assert allowed(answer) == {}
            assert "Vary" not in answer.headers


def test_a_preflight_needs_no_token(toy):
    """Browsers send none with it; the route is for nobody, and still it is answered."""
    answer = preflight(toy)
    assert (answer.status_code, answer.content) == (204, b"")
    headers = allowed(answer)
    assert headers["Access-Control-Allow-Origin"] == SHOP
    assert "PATCH" in headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in headers["Access-Control-Allow-Headers"]
    assert headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in headers
    assert answer.headers["Vary"].split(", ")[0] == "Origin"


@pytest.mark.parametrize("path", ["/alive", "/closed", "/crash", "/nope"])
def test_an_allowed_page_may_read_every_answer(toy, path):
    """The bad ones too: a page has to be able to tell what went wrong."""
    answer = requests.get(toy.url + path, headers={"Origin": SHOP}, timeout=5)
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [EVIL, "null", "https://shop.example.evil.example", "http://shop.example", f"{SHOP}:8443", ""],
)
def test_another_origin_is_told_nothing(toy, origin):
    """Compared as a whole; its answers must not be kept for the others."""
    for answer in (
        preflight(toy, origin=origin),
        requests.get(toy.url + "/alive", headers={"Origin": origin}, timeout=5),
    ):
        assert allowed(answer) == {}
        assert "Origin" in answer.headers["Vary"]


def test_everybody_may_be_allowed():
    """With `*`, which is not the caller's own origin: cookies never go with it."""
    with running(cors={"origins": ["*"]}) as toy:
        answer = requests.get(toy.url + "/alive", headers={"Origin": EVIL}, timeout=5)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_credentials_are_off_unless_asked_for():
    """And then for named origins only."""
    with running(cors={"origins": [SHOP], "credentials": True}) as toy:
        assert allowed(preflight(toy))["Access-Control-Allow-Credentials"] == "true"
    with pytest.raises(ValidationError, match="credentials"):
        CorsSettings().load({"origins": ["*"], "credentials": True})


@pytest.mark.parametrize(
    "origin", ["shop.example", "https://shop.example/", "https://a b", "x\r\nSet-Cookie: a=b"]
)
def test_what_no_browser_would_send_is_refused_at_start(origin):
    """A slash too many would silently never match."""
    with pytest.raises(ValidationError, match="Not an origin"):
        CorsSettings().load({"origins": [origin]})
