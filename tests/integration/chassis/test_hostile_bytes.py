"""What no browser sends: each stream of bytes has one reading, or is refused, and nothing that
hides in it is run as a request of its own. Sent to our server and through the proxy of `deploy/`.
"""

import contextlib
import gc
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import eventlet
import pytest
from nameko.testing.utils import find_free_port

from chassis import fields
from chassis.errors import Fault
from chassis.web import route
from chassis.web.framing import Framing
from shop.attack.hostile import STREAMS
from shop.attack.hostile.stream import CHUNKED, GET, LAST, POST, H
from tests.support import eventually
from tests.unit.chassis.web_toy import ANYONE, running

PROXY = pathlib.Path(__file__).parents[3] / "deploy" / "proxy" / "haproxy.cfg"

RUN = []


class Note(fields.Request):
    note = fields.Text(max=100_000)


class Doors:
    """Notes in RUN what it has run."""

    name = "doors"

    @route("GET", "/ok", who=ANYONE)
    def ok(self, request):
        """What is asked for."""
        RUN.append("ok")
        return {}

    @route("GET", "/a/b", who=ANYONE)
    def deeper(self, request):
        """Two segments."""
        RUN.append("a/b")
        return {}

    @route("POST", "/take", who=ANYONE, body=Note)
    def take(self, request, body):
        """What takes a body."""
        RUN.append("take")
        return {}

    @route("GET", "/inner", who=ANYONE)
    def inner(self, request):
        """What hides in another request."""
        RUN.append("inner")
        return {}

    @route("GET", "/next", who=ANYONE)
    def next(self, request):
        """What follows."""
        RUN.append("next")
        return {}


@pytest.fixture(scope="module")
def doors():
    with running(
        Doors,
        header_seconds=2,
        body_seconds=2,
        rate_limits={"default": {"quota": 0}, "writes": {"quota": 0}},
    ) as doors:
        yield doors


@pytest.fixture(scope="module")
def proxy(doors, tmp_path_factory):
    """The port of HAProxy, as `deploy/` has it but for where it and the gateway listen."""
    places = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    haproxy = shutil.which("haproxy", path=places)
    if haproxy is None:
        pytest.skip("no haproxy here: .ci/haproxy or the package `haproxy` brings it")
    port, metrics = find_free_port(), find_free_port()
    text = PROXY.read_text()
    text = text.replace("bind :8000", f"bind 127.0.0.1:{port}")
    text = text.replace("bind :8404", f"bind 127.0.0.1:{metrics}")
    text = re.sub(
        r"    server-template .*",
        f"    server gateway1 127.0.0.1:{doors.port} ",
        text,
    )
    text = re.sub(r"    default-server .*", "", text)
    text = text.replace(
        "presetenv CLIENT_CONNECTIONS_IN_10S 200", "presetenv CLIENT_CONNECTIONS_IN_10S 100000"
    )
    path = tmp_path_factory.mktemp("proxy") / "haproxy.cfg"
    path.write_text(text)
    process = subprocess.Popen([haproxy, "-db", "-f", path], stdout=subprocess.DEVNULL)

    def answers():
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall((GET + "Connection: close\r\n\r\n").encode())
            return sock.recv(12) == b"HTTP/1.1 200"

    def is_up():
        try:
            return answers()
        except OSError:
            return False

    eventually(is_up)
    yield port
    process.terminate()
    process.wait()


def exchange(port, data, patience=None):
    """What comes back until the server closes, or for `patience` seconds."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience or 8) as sock:
        sending = eventlet.spawn(_send, sock, data if isinstance(data, bytes) else data.encode())
        try:
            while True:
                part = sock.recv(65536)
                if not part:
                    break
                received += part
        except ConnectionResetError:
            pass
        except TimeoutError:
            assert patience
        sending.kill()
    return received


def _send(sock, data):
    with contextlib.suppress(OSError):
        sock.sendall(data)


def statuses_in(received):
    """The statuses of all answers; interim ones are none."""
    return [int(s) for s in re.findall(rb"HTTP/1\.[01] ([2-5]\d\d)", received)]


@pytest.fixture(autouse=True)
def run():
    """Nothing has run, and no garbage is looked for while time is taken."""
    RUN.clear()
    gc.disable()
    yield RUN
    gc.enable()


@pytest.fixture(scope="module")
def reference(doors):
    """Seconds of processor time for an ordinary exchange: the most of some."""
    exchange(doors.port, POST + "Content-Length: 2\r\n\r\n{}" + LAST)
    taken = []
    for _ in range(5):
        began = time.process_time()
        body = f'{{"note": "{"a" * 50_000}"}}'
        exchange(doors.port, f"{POST}Content-Length: {len(body)}\r\n\r\n{body}{LAST}")
        taken.append(time.process_time() - began)
    return max(taken)


def test_the_table_is_long_enough():
    """And no name is given twice."""
    names = [stream.name for stream in STREAMS]
    assert len(set(names)) == len(names) >= 100


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_has_one_reading(doors, reference, stream):
    """The statuses of the table; what follows is answered or not; what hides in it is never run;
    and it takes no more time than some ordinary requests."""
    began = time.process_time()
    statuses = statuses_in(exchange(doors.port, stream.data))
    taken = time.process_time() - began
    assert statuses == [*stream.statuses, *([] if stream.closes else [200])]
    assert "inner" not in RUN
    assert RUN.count("next") == (0 if stream.closes else 1)
    assert taken < 0.05 + 10 * reference


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_has_one_reading_behind_the_proxy(doors, proxy, stream):
    """The proxy refuses by itself, or puts right what it is lenient about; what it passes on we
    read as it did: no answer without a request, and nothing is run that it did not see."""
    statuses = statuses_in(exchange(proxy, stream.data, patience=4))
    assert set(statuses) <= {*stream.statuses, 200, 204, 400, 408, 422, 501}
    assert len(RUN) == statuses.count(200)


def test_the_proxy_speaks_no_http_2(proxy):
    """There, one connection would bring a hundred requests at once, past all that is counted by
    connections."""
    settings = b"\0\0\0\4\0\0\0\0\0"
    answer = exchange(proxy, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings, patience=4)
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("start", "byte", "end"),
    [
        (GET + "X: ", "a", "\r\n\r\n"),
        (GET, "X: a\r\n", "\r\n"),
        ("GET /", "a", f" HTTP/1.1\r\n{H}\r\n"),
        (POST + "Content-Length: {length}\r\n\r\n", " ", ""),
        (CHUNKED + "{length:x}\r\n", " ", "\r\n0\r\n\r\n"),
        (CHUNKED + "{length:x}\r\n", "\r\n\r\n", "\r\n0\r\n\r\n"),
        (CHUNKED, "4\r\n    \r\n", "0\r\n\r\n"),
    ],
)
def test_twice_as_much_takes_twice_as_long(start, byte, end):
    """Whether it comes at once or byte by byte."""
    for in_pieces in (False, True):
        small, large = (
            min(_parsing(start, byte, end, size, in_pieces) for _ in range(3))
            for size in (1500, 6000)
        )
        assert large < 8 * small + 0.005


def _parsing(start, byte, end, size, in_pieces):
    """Seconds of processor time to read a request with so many bytes of the same."""
    filling = byte * (size // len(byte))
    data = (start.format(length=len(filling)) + filling + end).encode()
    pieces = iter([data[i : i + 1] for i in range(len(data))] if in_pieces else [data])
    sock = SimpleNamespace(recv=lambda size: next(pieces, b""))
    framing = Framing(sock)
    began = time.process_time()
    with contextlib.suppress(Fault):
        framing.await_data()
        head = framing.read_head()
        if head.has_length:
            framing.read_body(head, 10**6, lambda size: None)
    return time.process_time() - began
