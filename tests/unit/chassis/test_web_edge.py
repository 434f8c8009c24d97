"""What the open internet sends: slow, idle, many, and in odd forms."""

import resource
import time

import eventlet
import pytest
import requests

from chassis.web.server import _allow_files
from tests.unit.chassis.web_toy import Raw, running

GET = "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"
POST = "POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def toy():
    with running(max_requests=5, header_seconds=1, body_seconds=1, idle_seconds=20) as service:
        yield service


@pytest.fixture
def raw(toy):
    client = Raw(toy.port)
    yield client
    client.close()


def slowest(toy, count=50):
    """The longest of some requests, in seconds."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        assert requests.get(f"{toy.url}/things", timeout=5).status_code == 200
        times.append(time.monotonic() - began)
    return max(times)


@pytest.mark.parametrize(
    "start", ["GET /alive HTTP/1.1\r\nHost: x\r\n", POST + "Content-Length: 900\r\n\r\n{"]
)
def test_hundreds_that_send_a_byte_now_and_then_delay_nobody(toy, start):
    """Slow-loris, by headers and by body: each is sent away in time, with 408."""
    slow = [Raw(toy.port).send(start) for _ in range(300)]

    def trickle():
        for _ in range(10):
            eventlet.sleep(0.2)
            for client in slow:
                try:
                    client.send("a")
                except OSError:
                    return

    trickling = eventlet.spawn(trickle)
    assert slowest(toy) < 1
    trickling.wait()
    assert {client.answer().status for client in slow[::50]} == {408}
    for client in slow:
        client.close()


def test_a_thousand_idle_connections_delay_nobody():
    """A connection without a request is a greenthread that sleeps."""
    with running(header_seconds=60) as toy:
        idle = [Raw(toy.port) for _ in range(1000)]
        idle[0].send(GET)
        assert idle[0].answer().status == 200
        assert slowest(toy) < 1
        idle[-1].send(GET)
        assert idle[-1].answer().status == 200
        for client in idle:
            client.close()


def test_a_long_pipeline_is_answered_in_order(raw):
    """A hundred requests in one packet; what follows a refused one is not served."""
    ids = [f"request-{number:04}" for number in range(100)]
    raw.send("".join(f"GET /alive HTTP/1.1\r\nHost: x\r\nX-Request-ID: {i}\r\n\r\n" for i in ids))
    assert [raw.answer().body["request_id"] for _ in ids] == ids
    raw.send(GET, POST + "Content-Length: x\r\n\r\n", GET)
    assert [raw.answer().status for _ in range(2)] == [200, 400]
    assert raw.is_closed()


@pytest.mark.parametrize(
    "target",
    [
        "/nope%0d%0aX-Injected:%201",
        "/things?limit=2&cursor=%0d%0aX-Injected:%201",
        "/things/%0d%0aX-Injected:%201",
        "/things?limit=1%0d%0a%0d%0aX-Injected:%201",
    ],
)
def test_nothing_of_a_request_becomes_a_header(raw, target):
    """Line breaks in a path or query stay percent-encoded wherever they come back."""
    raw.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "x-injected" not in raw.answer().headers
    raw.send(GET)
    assert raw.answer().status == 200


@pytest.mark.parametrize("name", ["Origin", "X-Request-ID", "X-Forwarded-For", "traceparent"])
def test_a_header_is_not_repeated_as_it_came(raw, name):
    """Not even one that would be legal; control characters that would break lines are refused."""
    raw.send(f"GET /alive HTTP/1.1\r\nHost: x\r\n{name}: a\tX-Injected: 1\r\n\r\n")
    legal = raw.answer()
    raw.send(f"GET /alive HTTP/1.1\r\nHost: x\r\n{name}: a\tb\x0bX-Injected: 1\r\n\r\n")
    illegal = raw.answer()
    assert (legal.status, illegal.status) == (200, 400)
    assert "x-injected" not in f"{legal.headers} {illegal.headers} {illegal.body}".lower()


@pytest.mark.parametrize("method", ["TRACE", "PATCH", "PROPFIND"])
def test_other_methods_are_a_405(raw, method):
    """TRACE too: it would show a page the headers that it must not see."""
    raw.send(f"{method} /alive HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = raw.answer()
    assert (answer.status, answer.body["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "line", ["CONNECT evil.example:443", "GET evil.example", "GET *", "GET //"]
)
def test_other_forms_of_target_lead_nowhere(raw, line):
    """We are no proxy: a host and port, a star, or a path of another form is nothing of ours."""
    raw.send(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = raw.answer()
    assert answer.status in (400, 404)
    assert answer.body["code"] in ("bad_request", "not_found")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://shop.example/alive", 200),
        ("HTTPS://SHOP.EXAMPLE:8443/alive?", 200),
        ("http://shop.example", 404),
        ("http://user:password@shop.example/alive", 400),
        ("ftp://shop.example/alive", 400),
    ],
)
def test_an_absolute_target_is_its_path(raw, target, status):
    """Whatever host it names; other schemes and users in it are refused."""
    raw.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = raw.answer()
    assert answer.status == status
    assert "password" not in str(answer.body)


def test_another_expectation_is_ignored(raw):
    """Only 100-continue means something; for anything else the body is waited for as usual."""
    raw.send(POST + "Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}")
    assert raw.answer().status == 200


def test_http_1_0_gets_no_interim_answer(raw):
    """It would take `100 Continue` for the answer."""
    raw.send(
        "POST /notes HTTP/1.0\r\nContent-Type: application/json\r\n"
        'Expect: 100-continue\r\nContent-Length: 12\r\n\r\n{"note":"a"}'
    )
    assert raw.answer().status == 200


def test_as_many_files_may_be_open_as_there_are_connections():
    """Most systems give a process 1024 unless it asks for more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        _allow_files(600)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600
        _allow_files(550)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
