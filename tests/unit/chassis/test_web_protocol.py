"""HTTP on the wire: framing, limits in size and time, connections that go wrong."""

import contextlib
import time

import eventlet
import pytest
import requests

from tests.support import eventually
from tests.unit.chassis.web_toy import SERVED, Raw, running

GET = "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"
POST = "POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def toy():
    limits = {"header_seconds": 0.3, "body_seconds": 0.3, "idle_seconds": 0.5}
    with running(body_limit=2000, **limits) as service:
        yield service
        # Whatever the tests sent: nothing is left, and it still serves.
        assert requests.get(service.url + "/alive", timeout=5).status_code == 200


@pytest.fixture
def raw(toy):
    client = Raw(toy.port)
    yield client
    client.close()


def test_a_connection_serves_one_request_after_the_other(raw):
    """Kept alive, pipelined or not, with and without bodies, and in order."""
    raw.send(GET, POST + 'Content-Length: 12\r\n\r\n{"note":"a"}', GET)
    assert [raw.answer().status for _ in range(3)] == [200, 200, 200]
    raw.send("GET /nope HTTP/1.1\r\nHost: x\r\n\r\n")
    assert raw.answer().status == 404
    raw.send(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
    assert raw.answer().headers["connection"] == "close"
    assert raw.is_closed()


def test_http_1_0_is_answered_and_closed(raw):
    """Without a Host header, as HTTP/1.0 may."""
    raw.send("GET /alive HTTP/1.0\r\n\r\n")
    assert raw.answer().status == 200
    assert raw.is_closed()


def test_an_absolute_address_is_taken(raw):
    """As a proxy sends it."""
    raw.send("GET http://shop.example/alive HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    assert raw.answer().status == 200


@pytest.mark.parametrize(
    "head",
    [
        "GARBAGE\r\n\r\n",
        "GET /alive\r\n\r\n",
        "GET /alive HTTP/2.0\r\n\r\n",
        "GET /alive HTTP/1.1 extra\r\nHost: x\r\n\r\n",
        "GET /alive FTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /alive HTTP/1.1\r\n\r\n",
        "GET /alive HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /alive HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
        "GET /alive HTTP/1.1\r\nHost: x\r\nSpace : before\r\n\r\n",
        "GET /alive HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n",
        "GET /alive HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 5\r\n\r\n",
        "GET /alive HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        POST + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        POST + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + "Content-Length: -2\r\n\r\n{}",
        POST + "Content-Length: +2\r\n\r\n{}",
        POST + "Content-Length: 1_0\r\n\r\n{}",
        POST + f"Content-Length: {'9' * 30}\r\n\r\n{{}}",
        POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        POST + "Transfer-Encoding: identity\r\n\r\n{}",
        POST + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
        POST + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        POST + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
        POST + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
        POST + f"Transfer-Encoding: chunked\r\n\r\n2;{'a' * 5000}\r\n{{}}\r\n0\r\n\r\n",
        POST + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + "a: b\r\n" * 500,
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(raw, head):
    """400 as a problem document; nothing after it on the connection is served."""
    raw.send(head, GET)
    answer = raw.answer()
    assert (answer.status, answer.body["code"]) == (400, "bad_request")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert raw.is_closed()


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (f"GET /{'a' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long"),
        (f"GET / HTTP/1.1\r\nHost: x\r\nX: {'a' * 9000}\r\n\r\n", 431, "headers_too_large"),
        ("GET / HTTP/1.1\r\nHost: x\r\n" + "X: a\r\n" * 200 + "\r\n", 431, "headers_too_large"),
        (
            "GET / HTTP/1.1\r\nHost: x\r\n" + f"X: {'a' * 8000}\r\n" * 10 + "\r\n",
            431,
            "headers_too_large",
        ),
        (POST + "Content-Length: 2001\r\n\r\n", 413, "content_too_large"),
        (
            POST + f"Transfer-Encoding: chunked\r\n\r\n7d1\r\n{'a' * 2001}",
            413,
            "content_too_large",
        ),
        (
            POST + "Transfer-Encoding: chunked\r\n\r\n" + "1\r\na\r\n" * 600,
            400,
            "bad_request",
        ),
        ("POST /things HTTP/1.1\r\nHost: x\r\n\r\n", 411, "length_required"),
    ],
)
def test_sizes_are_bounded(raw, head, status, code):
    """Each limit has its status, told before the rest is read."""
    raw.send(head)
    answer = raw.answer()
    assert (answer.status, answer.body["code"]) == (status, code)


def test_a_client_that_waits_for_100_gets_the_refusal_instead(raw):
    """`Expect: 100-continue` saves sending what is too large anyway."""
    raw.send(POST + "Content-Length: 999999\r\nExpect: 100-continue\r\n\r\n")
    assert raw.answer().status == 413


def test_a_client_that_waits_for_100_gets_it_when_the_body_may_come(raw):
    """Chunked, with an extension and a trailer."""
    raw.send(POST + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
    assert raw.file.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert raw.file.readline() == b"\r\n"
    raw.send('7;x=y\r\n{"note"\r\n5\r\n:"b"}\r\n0\r\nX-Sum: 1\r\n\r\n', GET)
    assert raw.answer().body == {"note": "b"}
    assert raw.answer().status == 200


@pytest.mark.parametrize(
    "start",
    [
        "GET /ali",
        "GET /alive HTTP/1.1\r\nHost: x\r\n",
        POST + "Content-Length: 12\r\n\r\n{",
        POST + "Transfer-Encoding: chunked\r\n\r\n2",
    ],
)
def test_a_slow_client_is_sent_away(raw, start):
    """One byte now and then keeps no connection: the time is for the whole, not for each byte."""
    raw.send(start)

    def trickle():
        with contextlib.suppress(OSError):
            for _ in range(50):
                eventlet.sleep(0.1)
                raw.send("a")
            return "never sent away"

    trickling = eventlet.spawn(trickle)
    answer = raw.answer()
    assert (answer.status, answer.body["code"]) == (408, "request_timeout")
    assert raw.is_closed()
    assert trickling.wait() is None


@pytest.mark.parametrize("start", ["\r\n\r\n", "\r\n\r\nGET /alive HTTP/1.1\r\nX: "])
def test_two_empty_lines_begin_no_request(raw, start):
    """Nor do they let one take longer than any other."""
    began = time.monotonic()
    answer = raw.send(start).answer()
    assert (answer.status, answer.body["code"]) == (400, "bad_request")
    assert time.monotonic() - began < 1
    assert raw.is_closed()


def test_an_idle_connection_is_closed(raw):
    """After a request, and before the first one."""
    raw.send(GET)
    assert raw.answer().status == 200
    began = time.monotonic()
    assert raw.is_closed()
    assert 0.3 < time.monotonic() - began < 4


@pytest.mark.parametrize(
    "start",
    [
        "",
        "GET /ali",
        POST,
        POST + "Content-Length: 12\r\n\r\n",
        POST + "Content-Length: 2\r\n\r\n{",
    ],
)
def test_a_client_that_goes_away_does_no_harm(toy, start):
    """What it sent by half is not served, and the server goes on."""
    SERVED.clear()
    client = Raw(toy.port)
    client.send(start)
    client.close()
    eventually(lambda: not toy.server._connections)
    assert SERVED == []
    assert requests.get(toy.url + "/alive", timeout=5).status_code == 200


def test_a_body_that_ends_too_soon_is_not_served(raw):
    """Half-closed in the middle of the body."""
    raw.send(POST + 'Content-Length: 200\r\n\r\n{"note": "a"}')
    raw.socket.shutdown(1)
    assert raw.answer().status == 400
