"""The web layer under many requests at once, and when it stops."""

import json
import socket
import time
import tracemalloc

import eventlet
import pytest
import requests
from nameko.exceptions import ConfigurationError
from nameko.testing.utils import find_free_port

from chassis import logs
from chassis.container import ServiceContainer
from chassis.web import Response, protocol, route, route_table
from chassis.web.framing import RECEIVE
from chassis.web.protocol import IN_A_ROW
from tests.support import eventually
from tests.unit.chassis.web_toy import ANYONE, Raw, Toy, running


def get(toy, path):
    return requests.get(toy.url + path, timeout=5)


class Hanging:
    """What `/hang` does: wait until `let_go`. `count` says how many do."""

    def __init__(self):
        self.count, self._let_go = 0, eventlet.Event()

    def __call__(self):
        self.count += 1
        self._let_go.wait()

    def let_go(self):
        self._let_go.send()


@pytest.fixture
def hanging(monkeypatch):
    """Requests to `/hang` take as long as the test wants."""
    hanging = Hanging()
    monkeypatch.setattr(Toy, "pause", staticmethod(hanging))
    return hanging


def test_slow_requests_do_not_delay_a_trivial_one(hanging):
    """With Nameko's ten workers for everything it would wait for one of them."""
    with running() as toy:
        slow = [eventlet.spawn(get, toy, "/hang") for _ in range(30)]
        eventually(lambda: hanging.count == 30)
        assert get(toy, "/alive").status_code == 200
        hanging.let_go()
        assert {thread.wait().status_code for thread in slow} == {200}


def test_slow_senders_hold_no_place():
    """A place is taken when the request is complete, not while it trickles in."""
    with running(max_requests=1) as toy:
        slow = [Raw(toy.port).send("POST /notes HTTP/1.1\r\nHost: x\r\n") for _ in range(5)]
        slow[0].send("Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        assert get(toy, "/things").status_code == 200
        for client in slow:
            client.close()


def test_one_too_many_is_refused_at_once(hanging):
    """503 with Retry-After instead of a queue; what answers for the process still does."""
    with running(max_requests=2) as toy:
        slow = [eventlet.spawn(get, toy, "/hang") for _ in range(2)]
        eventually(lambda: hanging.count == 2)
        refused = get(toy, "/things")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) >= 1
        assert get(toy, "/probe").status_code == 200
        hanging.let_go()
        assert {thread.wait().status_code for thread in slow} == {200}
        assert get(toy, "/things").status_code == 200


def test_there_are_never_more_requests_than_workers():
    """Whatever the bound says: a request that waits for a worker is one too many."""
    with running(max_requests=1000) as toy:
        assert toy.server.limits["max_requests"] < toy.container.max_workers


@pytest.mark.parametrize("style", ["json", "console"])
def test_each_request_is_one_line_in_the_log(style, caplog):
    """The route, not the path; the code of a problem; neither query nor body."""
    caplog.set_level("INFO", logger="chassis.web.access")
    with running() as toy:
        get(toy, "/things?cursor=secret")
        get(toy, "/things/secret")
        Raw(toy.port).send("GARBAGE\r\n\r\n").answer()
    records = [record for record in caplog.records if record.name == "chassis.web.access"]
    lines = [logs.Formatter(style=style).format(record) for record in records]
    told = [
        ("/things", 200, None),
        ("/things/{thing_id}", 422, "invalid"),
        ("-", 400, "bad_request"),
    ]
    assert len(lines) == len(told)
    for line, (path, status, code) in zip(lines, told, strict=True):
        if style == "json":
            fields = json.loads(line)
            assert (fields["route"], fields["status"], fields["code"]) == (path, status, code)
            assert fields["request_id"]
            assert len(fields["trace_id"]) == 32
            assert fields["timestamp"].endswith("Z")
        else:
            assert f" route={path} status={status} " in line
            assert "request_id=" in line
            assert "trace_id=" in line
            assert code is None or f"code={code} " in line
        assert "secret" not in line


def test_connections_are_bounded():
    """Beyond the bound a connection is told so, and the others go on."""
    with running(max_connections=2) as toy:
        held = [Raw(toy.port), Raw(toy.port)]
        eventually(lambda: len(toy.server._connections) == 2)
        refused = Raw(toy.port)
        answer = refused.answer()
        assert (answer.status, answer.body["code"]) == (503, "overloaded")
        assert "retry-after" in answer.headers
        held[0].send("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n")
        assert held[0].answer().status == 200
        for client in (*held, refused):
            client.close()


def test_a_request_over_its_budget_is_a_504():
    """The client is told, although the worker is still at it."""
    with running(request_seconds=0.05) as toy, pytest.MonkeyPatch.context() as patch:
        patch.setattr("chassis.web.routes._GRACE_SECONDS", 0.05)
        answer = get(toy, "/hang")
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")


def test_a_stop_finishes_what_is_in_hand_and_takes_nothing_new(hanging):
    """The request in hand is answered, its connection closes, new ones are refused."""
    with running() as toy:
        idle, busy = Raw(toy.port), Raw(toy.port)
        busy.send("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: hanging.count == 1)
        stopping = eventlet.spawn(toy.container.stop)
        assert idle.is_closed()
        with pytest.raises(requests.ConnectionError):
            get(toy, "/alive")
        hanging.let_go()
        answer = busy.answer()
        assert (answer.status, answer.body) == (200, {"slept": True})
        assert answer.headers["connection"] == "close"
        stopping.wait()


def test_a_stop_may_wait_for_the_load_balancer():
    """For a while it says that it is stopping, and still serves."""
    with running(stop_delay_seconds=1) as toy:
        stopping = eventlet.spawn(toy.container.stop)
        eventually(lambda: toy.server.is_stopping)
        assert get(toy, "/alive").status_code == 200
        stopping.wait()
        with pytest.raises(requests.ConnectionError):
            get(toy, "/alive")


def test_a_stop_does_not_wait_for_a_client_that_does_not_read_on():
    """Half a request is given up after the time for draining."""
    with running(drain_seconds=0.2) as toy:
        client = Raw(toy.port).send("GET /alive HTTP/1.1\r\n")
        eventually(lambda: toy.server._connections)
        began = time.monotonic()
        toy.container.stop()
        assert time.monotonic() - began < 5  # far less than it may wait for a worker
        client.close()


def test_a_taken_port_is_one_clear_line():
    """Not a traceback from the depths of the socket library."""
    with running() as toy:
        config = {"AMQP_URI": "amqp://nowhere", "WEB_SERVER_ADDRESS": f"127.0.0.1:{toy.port}"}
        with pytest.raises(SystemExit, match=f"toy: Can't listen on 127.0.0.1:{toy.port}: Addr"):
            ServiceContainer(Toy, config)


def test_what_is_no_port():
    """Told in one line as well, not by an error of the socket's."""
    config = {"AMQP_URI": "amqp://nowhere", "WEB_SERVER_ADDRESS": "127.0.0.1:99999"}
    with pytest.raises(SystemExit, match=r"toy: Can't listen on 127.0.0.1:99999: no such port"):
        ServiceContainer(Toy, config)


def test_a_wrong_bound_is_one_clear_line():
    """The section `web` is checked before anything is connected to or listens."""
    config = {"AMQP_URI": "amqp://nowhere", "web": {"max_requests": 0}}
    with pytest.raises(SystemExit, match=r"toy: config: web\.max_requests"):
        ServiceContainer(Toy, config)


def test_a_route_without_an_audience_fails_at_start():
    """Nobody can forget to say who may call."""
    with pytest.raises(TypeError, match="who"):
        route("GET", "/x")(documented)
    with pytest.raises(ConfigurationError, match="GET /x: nobody said who"):
        route("GET", "/x", who=None)(documented)


def test_a_route_without_a_docstring_fails_at_start():
    """It would have no line in the documentation."""
    with pytest.raises(ConfigurationError, match="GET /x: its method has no docstring"):
        route("GET", "/x", who=ANYONE)(lambda self, request: None)


def test_a_path_and_its_schema_name_the_same():
    """A parameter that nobody validates is found at import."""
    with pytest.raises(ConfigurationError, match="path schema"):
        route("GET", "/x/{y}", who=ANYONE)(documented)


def documented(self, request):
    """Tell nothing."""


def test_routes_cannot_hide_each_other():
    """Neither by the same method and path nor by the same name in two mixins."""

    class More:
        @route("GET", "/things", who=ANYONE)
        def other_things(self, request):
            """Things again."""
            return Response()

    class Same:
        @route("GET", "/elsewhere", who=ANYONE)
        def list_things(self, request):
            """Things elsewhere."""
            return Response()

    for mixin in (More, Same):
        service = type("Both", (mixin, Toy), {"name": "both"})
        with pytest.raises(ConfigurationError, match="is there twice"), running(service):
            pass


def test_the_route_table_knows_every_declaration():
    """What documentation and access tests are generated from."""
    table = route_table(Toy)
    assert (table["add_thing"].method, table["add_thing"].path) == ("POST", "/things")
    assert (table["add_thing"].status, table["add_thing"].who) == (201, ANYONE)
    assert table["add_thing"].summary == "A new thing."
    assert len(table) == 15


def test_processes_share_a_port_when_told_to():
    """The kernel gives each of them some of the connections."""
    shared = {"address": f"127.0.0.1:{find_free_port()}", "share_port": True}
    with running(**shared) as one, running(**shared) as other:
        clients = [Raw(one.server.bind_addr.port) for _ in range(64)]
        for client in clients:
            client.send("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.answer().status == 200
        assert min(len(toy.server._connections) for toy in (one, other)) > 5
        for client in clients:
            client.close()


@pytest.mark.parametrize("size", [0, RECEIVE])
def test_a_client_that_never_pauses_waits_for_its_turn(size):
    """One that has sent its next request already gets a few answers at once and no more, even if
    they take no worker; also where each request fills what is received at once."""
    head = "GET /nope HTTP/1.1\r\nHost: x\r\nX: \r\nY: \r\n\r\n"
    half, rest = divmod(max(0, size - len(head)), 2)
    request = head.replace("X: ", f"X: {'a' * half}").replace("Y: ", f"Y: {'a' * (half + rest)}")
    with running() as toy:
        answered = []
        toy.server.access_log.record = lambda *args: answered.append(args)
        client = Raw(toy.port)
        eventlet.spawn(client.send, *[request * 20] * 10)
        most, turns = 0, 0
        while len(answered) < 200:
            before, turns = len(answered), turns + 1
            eventlet.sleep(0)
            most = max(most, len(answered) - before)
            assert turns < 100_000
        assert most <= IN_A_ROW
        client.close()


LARGE = b"x" * 8_000_000


class Shelf(Toy):
    """Has something large, of which there is one for all."""

    @route("GET", "/large", who=ANYONE)
    def large(self, request):
        """The same bytes for everybody."""
        return Response(LARGE)


def ask(toy, buffer):
    """A client with a receive buffer of so many bytes that has read nothing yet."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(("127.0.0.1", toy.port))
    client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    return client


def test_a_large_answer_is_not_copied_for_each_who_takes_it_slowly():
    """Ten who ask for it and read nothing cost less than one of it."""
    with running(Shelf) as toy:
        answered = []
        toy.server.access_log.record = lambda *args: answered.append(args)
        tracemalloc.start()
        clients = [ask(toy, 4096) for _ in range(10)]
        eventually(lambda: len(answered) == 10)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < len(LARGE)
        for client in clients:
            client.close()


def test_the_time_to_take_an_answer_is_for_all_of_it(monkeypatch):
    """Who goes on taking a little is cut off, too; more time is given for more bytes."""
    monkeypatch.setattr(protocol, "SLOWEST", 10_000_000)
    with running(Shelf, write_seconds=1.5) as toy, ask(toy, 200_000) as client:
        eventually(lambda: toy.server._connections)
        taken = []
        eventually(
            lambda: taken.append(len(client.recv(60_000))) or not toy.server._connections,
            timeout=30,
            every=0.05,
        )
        assert 0 < sum(taken) < len(LARGE)
