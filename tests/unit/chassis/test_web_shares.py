"""No client gets all of the server: connections, requests at work, sign-ins, bodies, probes."""

import contextlib
import socket
import time

import eventlet
import pytest
import requests

from chassis.errors import Unavailable
from chassis.web import route
from chassis.web.shares import Shares
from tests.support import eventually
from tests.unit.chassis.web_toy import ANYONE, SERVED, Raw, Toy, running

GET = "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"
NOTE = (
    "POST /notes HTTP/1.1\r\nHost: x\r\n"
    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
)


class Door(Toy):
    """Where one signs in, and a probe that waits; as long as `shut`."""

    name = "toy"
    shut = False

    @route("POST", "/in", who=ANYONE, limit="sign-in")
    def come_in(self, request):
        """Sign in."""
        return self._wait()

    @route("GET", "/slow-probe", who=ANYONE, probe=True)
    def slow_probe(self, request):
        """Wait for somebody else."""
        SERVED.append("slow-probe")
        return self._wait()

    @route("GET", "/slow", who=ANYONE)
    def slow(self, request):
        """Wait for somebody else."""
        return self._wait()

    def _wait(self):
        while type(self).shut:
            eventlet.sleep(0.01)
        return {}


@pytest.fixture
def shut(monkeypatch):
    """`Door` is shut until the test, or the function that this is, opens it."""
    monkeypatch.setattr(Door, "shut", True)
    SERVED.clear()

    def open_it():
        Door.shut = False

    yield open_it
    Door.shut = False


def client_at(port, address):
    """A client that comes from another address of this machine."""
    client = Raw.__new__(Raw)
    client.socket = socket.create_connection(
        ("127.0.0.1", port), timeout=5, source_address=(address, 0)
    )
    client.file = client.socket.makefile("rb")
    return client


def ask(port, data=GET, address="127.0.0.1"):
    """The status of one request from an address."""
    with contextlib.closing(client_at(port, address)) as client:
        return client.send(data).answer().status


# The division


def test_a_client_gets_its_share():
    """And others what is left; what is given back may be taken again."""
    shares = Shares(10, 3)
    assert [shares.take("a") for _ in range(4)] == [True, True, True, False]
    assert shares.take("b", 3)
    assert not shares.take("b")
    shares.give_back("a")
    assert shares.take("a")
    assert shares.total == 6


def test_the_last_tenth_is_for_newcomers():
    """Three who take all they can leave a place for the fourth."""
    shares = Shares(10, 4)
    for client in "abc":
        while shares.take(client):
            pass
    assert shares.total == 9
    assert not shares.take("c")
    assert shares.take("d")
    assert not shares.take("e")


def test_a_share_is_no_more_than_there_is():
    """Those who can't be told apart have no share, but the whole has its bound."""
    shares = Shares(2, 100)
    assert [shares.take(None) for _ in range(3)] == [True, True, False]
    shares.give_back(None)
    assert not shares.take("a", 2)
    assert shares.take("a", 1)


def test_nothing_is_remembered_of_who_has_nothing():
    """Addresses are many."""
    shares = Shares(10, 3)
    for number in range(1000):
        assert shares.take(str(number))
        shares.give_back(str(number))
        shares.give_back(str(number), 0)
    assert (shares.total, len(shares._taken)) == (0, 0)


# Connections


def test_one_address_gets_its_share_of_connections():
    """Silent ones of one address leave the others alone, and are gone soon."""
    with running(max_connections=40, client_connections=5, header_seconds=0.5) as toy:
        silent = [client_at(toy.port, "127.0.0.2") for _ in range(30)]
        refused = silent[-1].answer()
        assert (refused.status, refused.body["code"]) == (503, "overloaded")
        assert ask(toy.port) == 200
        eventually(lambda: len(toy.server._connections) == 0, timeout=3)
        assert toy.server._places.total == 0
        assert ask(toy.port, address="127.0.0.2") == 200
        for client in silent:
            client.close()


def test_who_connects_and_says_nothing_is_sent_away():
    """Sooner than one who has asked something and may ask again."""
    with running(header_seconds=0.3, idle_seconds=30) as toy:
        silent, known = Raw(toy.port), Raw(toy.port).send(GET)
        assert known.answer().status == 200
        began = time.monotonic()
        assert silent.is_closed()
        assert time.monotonic() - began < 5
        assert known.send(GET).answer().status == 200


def test_a_proxy_has_all_connections_that_there_are():
    """It is one address for all its clients."""
    with running(trusted_proxies=1, client_connections=1) as toy:
        clients = [Raw(toy.port) for _ in range(10)]
        assert {client.send(GET).answer().status for client in clients} == {200}


# Requests at work


@pytest.mark.parametrize(
    ("request_line", "bounds"),
    [
        ("GET /slow", {"max_requests": 20, "client_requests": 3}),
        ("POST /in", {"max_sign_ins": 20, "client_sign_ins": 3}),
    ],
)
def test_one_address_gets_its_share_of_the_work(shut, request_line, bounds):
    """Whatever it has open, others find a place; so it is where passwords are tried."""
    data = f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n"
    with running(Door, **bounds) as toy:
        held = [Raw(toy.port).send(data) for _ in range(3)]
        eventually(lambda: toy.server.request_places.requests.total == 3)
        refused = Raw(toy.port).send(data).answer()
        assert (refused.status, refused.body["code"]) == (503, "overloaded")
        assert "retry-after" in refused.headers
        others = client_at(toy.port, "127.0.0.2").send(data)
        eventually(lambda: toy.server.request_places.requests.total == 4)
        shut()
        assert {client.answer().status for client in (*held, others)} == {200}
        assert ask(toy.port, data) == 200
        assert (
            toy.server.request_places.requests.total
            == toy.server.request_places.sign_ins.total
            == 0
        )


def test_signing_in_leaves_places_for_others(shut):
    """Passwords take processors: all who sign in together get a part of the places."""
    data = "POST /in HTTP/1.1\r\nHost: x\r\n\r\n"
    with running(Door, max_requests=20, max_sign_ins=4) as toy:
        held = [client_at(toy.port, f"127.0.0.{n}").send(data) for n in range(2, 12)]
        eventually(lambda: toy.server.request_places.sign_ins.total == 4)
        assert ask(toy.port) == 200
        shut()
        assert sorted(client.answer().status for client in held) == [200] * 4 + [503] * 6


def test_behind_a_proxy_a_client_is_who_it_says(shut):
    """The share is that of the address in X-Forwarded-For, an IPv6 network's one share."""
    slow = "GET /slow HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {}\r\n\r\n"
    with running(Door, trusted_proxies=1, max_requests=30, client_requests=1) as toy:
        held = [Raw(toy.port).send(slow.format(a)) for a in ("192.0.2.1", "2001:db8::1")]
        eventually(lambda: toy.server.request_places.requests.total == 2)
        for address in ("192.0.2.1", "6.6.6.6, 192.0.2.1", "2001:db8::ffff"):
            assert ask(toy.port, slow.format(address)) == 503
        shut()
        assert ask(toy.port, slow.format("192.0.2.2")) == 200
        assert {client.answer().status for client in held} == {200}


# Bodies


def test_unfinished_bodies_have_one_budget():
    """Of all clients, and of each; beyond it bodies are refused, and what is gone is given back."""
    bounds = {"bodies_limit": 100_000, "client_bodies_limit": 40_000, "body_seconds": 1}
    with running(Door, body_limit=30_000, **bounds) as toy:
        unfinished = [
            client_at(toy.port, f"127.0.0.{number % 5 + 2}").send(
                NOTE.format(30_000) + " " * 25_000
            )
            for number in range(20)
        ]
        eventually(lambda: toy.server.bodies.total > 70_000)
        assert toy.server.bodies.total <= 100_000
        refused = [client.answer() for client in unfinished]
        assert {answer.status for answer in refused} == {408, 503}
        assert sum(answer.status == 408 for answer in refused) <= 4
        eventually(lambda: toy.server.bodies.total == 0)
        assert len(toy.server.bodies._taken) == 0
        whole = '{"note":"a"}' + " " * 29_000
        assert ask(toy.port, NOTE.format(len(whole)) + whole) == 200
        assert toy.server.bodies.total == 0


def test_a_body_is_only_read_where_it_is_taken():
    """Elsewhere the head is answered, with nothing kept."""
    with running() as toy:
        for path in ("/nope", "/things/x", "/hang"):
            data = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
            assert ask(toy.port, data) in (404, 405)
        get = "GET /things HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
        assert ask(toy.port, get) == 400


def test_what_is_over_the_rate_limit_is_refused_by_its_head():
    """Before any of the body has come."""
    with running(rate_limits={"default": {"quota": 1}}) as toy:
        assert ask(toy.port) == 200
        assert ask(toy.port, NOTE.format(200_000)) == 429


# Probes


def test_probes_take_nothing_from_others(shut):
    """However many ask, one worker answers; others have their places, and they do not wait."""
    probe = "GET /slow-probe HTTP/1.1\r\nHost: x\r\n\r\n"
    with running(Door, max_requests=2) as toy:
        asking = [Raw(toy.port).send(probe) for _ in range(100)]
        eventually(lambda: SERVED == ["slow-probe"])
        for _ in range(20):
            assert ask(toy.port) == 200
        shut()
        assert {client.answer().status for client in asking} == {200}
        assert SERVED == ["slow-probe"]


def test_a_probes_answer_is_given_again_for_a_second(monkeypatch):
    """With the ids of each request; then it is asked anew."""
    SERVED.clear()
    with running() as toy:
        for _ in range(5):
            assert requests.get(toy.url + "/probe", timeout=5).status_code == 200
        assert SERVED == ["probe"]
        now = time.monotonic()
        monkeypatch.setattr("chassis.web.probes.time.monotonic", lambda: now + 2)
        assert requests.get(toy.url + "/probe", timeout=5).status_code == 200
        assert SERVED == ["probe", "probe"]


def test_one_that_no_longer_accepts_is_not_well(shut):
    """Whoever balances loads asks at another port, and is told so there."""
    with running(Door) as toy:
        slow = Raw(toy.port).send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: toy.server.request_places.requests.total == 1)
        assert toy.server.answer_probe("/probe").status == 200
        stopping = eventlet.spawn(toy.container.stop)
        eventually(lambda: toy.server._stopping.is_draining)
        with pytest.raises(Unavailable):
            toy.server.answer_probe("/probe")
        shut()
        assert slow.answer().status == 200
        stopping.wait()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_probes_are_not_public_by_default(method):
    """Nothing is at their path, whatever is asked of it."""
    with running(probes=False) as toy:
        answer = requests.request(method, toy.url + "/probe", timeout=5)
        assert answer.status_code == 404
        assert "Allow" not in answer.headers
        assert toy.server.answer_probe("/probe").status == 200
        assert toy.server.answer_probe("/alive") is None
