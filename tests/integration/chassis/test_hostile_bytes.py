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
from dataclasses import dataclass
from types import SimpleNamespace

import eventlet
import pytest
from nameko.testing.utils import find_free_port

from chassis import fields
from chassis.errors import Fault
from chassis.web import route
from chassis.web.framing import Framing
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


H = "Host: x\r\n"
GET = f"GET /ok HTTP/1.1\r\n{H}"
INNER = f"GET /inner HTTP/1.1\r\n{H}\r\n"
NEXT = f"GET /next HTTP/1.1\r\n{H}\r\n"
POST = f"POST /take HTTP/1.1\r\n{H}Content-Type: application/json\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
LENGTH = len(INNER)


@dataclass(frozen=True)
class Stream:
    """Bytes, and the statuses of the answers to them. One that `closes` is the last of its
    connection; after the others a request that follows is answered."""

    name: str
    data: bytes | str
    statuses: tuple[int, ...] = (400,)
    closes: bool = True


def good(name, data, *statuses):
    """A stream that is read, and then the next request is."""
    return Stream(name, data, statuses or (200,), False)


STREAMS = [
    # The first line.
    Stream("garbage", "GARBAGE\r\n\r\n"),
    Stream("empty lines without end", "\r\n" * 20_000),
    Stream("two empty lines first", "\r\n\r\n" + GET + "\r\n"),
    Stream("a bare line feed first", "\n" + GET + "\r\n"),
    good("one empty line first", "\r\n" + GET + "\r\n"),
    Stream("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 500),
    Stream("SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
    Stream("SMTP", "EHLO x\r\nMAIL FROM:<a@b.example>\r\n\r\n"),
    Stream("PROXY protocol", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GET + "\r\n"),
    Stream("PROXY protocol 2", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + b"\x01" * 12),
    Stream("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Stream("HTTP/0.9", "GET /ok\r\n"),
    Stream("HTTP/0.9 and an empty line", "GET /ok\r\n\r\n"),
    Stream("HTTP/0.9 by name", f"GET /ok HTTP/0.9\r\n{H}\r\n"),
    Stream("HTTP/2.0 by name", f"GET /ok HTTP/2.0\r\n{H}\r\n"),
    Stream("HTTP/1.2", f"GET /ok HTTP/1.2\r\n{H}\r\n"),
    Stream("HTTP/1.10", f"GET /ok HTTP/1.10\r\n{H}\r\n"),
    Stream("HTTP/01.1", f"GET /ok HTTP/01.1\r\n{H}\r\n"),
    Stream("http/1.1", f"GET /ok http/1.1\r\n{H}\r\n"),
    Stream("a version of 20,000 digits", f"GET /ok HTTP/1.{'1' * 20_000}\r\n{H}\r\n"),
    Stream("RTSP", f"GET /ok RTSP/1.0\r\n{H}\r\n"),
    Stream("ICE", f"SOURCE /ok ICE/1.0\r\n{H}\r\n"),
    Stream("two spaces", f"GET  /ok HTTP/1.1\r\n{H}\r\n"),
    Stream("two spaces after the target", f"GET /ok  HTTP/1.1\r\n{H}\r\n"),
    Stream("a space before the method", f" GET /ok HTTP/1.1\r\n{H}\r\n"),
    Stream("a space at the end", f"GET /ok HTTP/1.1 \r\n{H}\r\n"),
    Stream("tabs", f"GET\t/ok\tHTTP/1.1\r\n{H}\r\n"),
    Stream("more at the end", f"GET /ok HTTP/1.1 extra\r\n{H}\r\n"),
    Stream("a space in the target", f"GET /ok /inner HTTP/1.1\r\n{H}\r\n"),
    Stream("a bare line feed in the first line", f"GET /ok HTTP/1.1\n{H}\r\n"),
    Stream("a carriage return in the target", f"GET /ok\rX HTTP/1.1\r\n{H}\r\n"),
    Stream("no target", f"GET HTTP/1.1\r\n{H}\r\n"),
    Stream("no method", f"/ok HTTP/1.1\r\n{H}\r\n"),
    Stream("an unknown method", f"BREW /ok HTTP/1.1\r\n{H}\r\n"),
    Stream("a method in small letters", f"get /ok HTTP/1.1\r\n{H}\r\n"),
    Stream("a method of 20,000 letters", f"{'G' * 20_000} /ok HTTP/1.1\r\n{H}\r\n", (400,)),
    Stream("NUL in the method", f"G\0ET /ok HTTP/1.1\r\n{H}\r\n"),
    good("a method of others", f"TRACE /ok HTTP/1.1\r\n{H}\r\n", 405),
    # The target.
    Stream("a target without its slash", f"GET ok HTTP/1.1\r\n{H}\r\n"),
    Stream("a query alone", f"GET ?a=b HTTP/1.1\r\n{H}\r\n"),
    Stream("a fragment", f"GET /ok#x HTTP/1.1\r\n{H}\r\n"),
    Stream("NUL in the target", f"GET /ok\0 HTTP/1.1\r\n{H}\r\n"),
    Stream("bytes beyond ASCII in the target", b"GET /ok\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n"),
    Stream("a target of 9,000 bytes", f"GET /{'a' * 9000} HTTP/1.1\r\n{H}\r\n", (414,)),
    Stream("a target of 50,000 bytes", f"GET /{'a' * 50_000} HTTP/1.1\r\n{H}\r\n", (414,)),
    Stream("a loose percent sign", f"GET /ok%zz HTTP/1.1\r\n{H}\r\n"),
    Stream("a percent sign at the end", f"GET /ok% HTTP/1.1\r\n{H}\r\n"),
    good("two slashes", f"GET //ok HTTP/1.1\r\n{H}\r\n", 404),
    good("two slashes within", f"GET /a//b HTTP/1.1\r\n{H}\r\n", 404),
    good("two slashes at the end", f"GET /ok// HTTP/1.1\r\n{H}\r\n", 404),
    good("an encoded slash", f"GET /a%2fb HTTP/1.1\r\n{H}\r\n", 404),
    good("an encoded slash at the begin", f"GET /%2fok HTTP/1.1\r\n{H}\r\n", 404),
    good("an encoded slash at the end", f"GET /ok%2F HTTP/1.1\r\n{H}\r\n", 404),
    good("a slash encoded twice", f"GET /a%252fb HTTP/1.1\r\n{H}\r\n", 404),
    good("dots", f"GET /a/../ok HTTP/1.1\r\n{H}\r\n", 404),
    good("encoded dots", f"GET /a/%2e%2e/ok HTTP/1.1\r\n{H}\r\n", 404),
    good("a back slash", f"GET /a\\b HTTP/1.1\r\n{H}\r\n", 404),
    good("an encoded NUL", f"GET /ok%00 HTTP/1.1\r\n{H}\r\n", 404),
    good("encoded bytes that are no UTF-8", f"GET /ok%ff HTTP/1.1\r\n{H}\r\n", 404),
    good("an encoded letter", f"GET /%6fk HTTP/1.1\r\n{H}\r\n"),
    good("a host in the path", f"GET //evil.example/ok HTTP/1.1\r\n{H}\r\n", 404),
    good("an absolute target", f"GET http://shop.example:80/ok HTTP/1.1\r\n{H}\r\n"),
    good("an absolute target of an IPv6 address", f"GET http://[::1]:80/ok HTTP/1.1\r\n{H}\r\n"),
    Stream("a user in an absolute target", f"GET http://a:b@evil/ok HTTP/1.1\r\n{H}\r\n"),
    Stream("an absolute target without a host", f"GET http:///ok HTTP/1.1\r\n{H}\r\n"),
    Stream("an absolute target of another scheme", f"GET ftp://x/ok HTTP/1.1\r\n{H}\r\n"),
    Stream("an absolute target with a wrong Host", "GET http://x/ok HTTP/1.1\r\nHost: a b\r\n\r\n"),
    Stream("an absolute target without Host", "GET http://x/ok HTTP/1.1\r\n\r\n"),
    Stream("a star", f"GET * HTTP/1.1\r\n{H}\r\n"),
    good("OPTIONS and a star", f"OPTIONS * HTTP/1.1\r\n{H}\r\n", 204),
    Stream("CONNECT", f"CONNECT evil.example:443 HTTP/1.1\r\n{H}\r\n{INNER}", (400,)),
    Stream("CONNECT to a path", f"CONNECT /ok HTTP/1.1\r\n{H}\r\n{INNER}"),
    # Host.
    Stream("no Host", "GET /ok HTTP/1.1\r\n\r\n"),
    Stream("an empty Host", "GET /ok HTTP/1.1\r\nHost:\r\n\r\n"),
    Stream("two Hosts", f"GET /ok HTTP/1.1\r\n{H}Host: y\r\n\r\n"),
    Stream("the same Host twice", f"GET /ok HTTP/1.1\r\n{H}{H}\r\n"),
    Stream("two Hosts in one", "GET /ok HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    Stream("two Hosts in one, without a space", "GET /ok HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    Stream("a user in Host", "GET /ok HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    Stream("a path in Host", "GET /ok HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    Stream("a port that is none", "GET /ok HTTP/1.1\r\nHost: a:99999\r\n\r\n"),
    Stream("a port of letters", "GET /ok HTTP/1.1\r\nHost: a:http\r\n\r\n"),
    Stream("an IPv6 address that is none", "GET /ok HTTP/1.1\r\nHost: [::g]\r\n\r\n"),
    Stream("no Host in HTTP/1.0", "GET /ok HTTP/1.0\r\n\r\n", (200,)),
    Stream("a wrong Host in HTTP/1.0", "GET /ok HTTP/1.0\r\nHost: a b\r\n\r\n"),
    # Other headers.
    Stream("8,150 spaces and NUL", f"{GET}X:{' ' * 8150}\0\r\n\r\n"),
    Stream("8,150 tabs and NUL", f"{GET}X:a{chr(9) * 8150}\0\r\n\r\n"),
    good("8,150 spaces", f"{GET}X: a{' ' * 8150}\r\n\r\n"),
    Stream("NUL", f"{GET}X: a\0b\r\n\r\n"),
    Stream("a bell", f"{GET}X: a\x07b\r\n\r\n"),
    Stream("a bare carriage return", f"{GET}X: a\rb\r\n\r\n"),
    Stream("a bare line feed", f"{GET}X: a\nContent-Length: 5\r\n\r\n"),
    Stream("a line that goes on", f"{GET}X: a\r\n b\r\n\r\n"),
    Stream("a first line that goes on", f"GET /ok HTTP/1.1\r\n X: a\r\n{H}\r\n"),
    Stream("a space before the colon", f"{GET}X : a\r\n\r\n"),
    Stream("no colon", f"{GET}X\r\n\r\n"),
    Stream("no name", f"{GET}: a\r\n\r\n"),
    Stream("a name beyond ASCII", f"{GET}\xe9: a\r\n\r\n".encode("latin-1")),
    Stream("a name of 9,000 letters", f"{GET}{'X' * 9000}: a\r\n\r\n", (431,)),
    Stream("a value of 9,000 letters", f"{GET}X: {'a' * 9000}\r\n\r\n", (431,)),
    Stream("101 headers", GET + "X: a\r\n" * 101 + "\r\n", (431,)),
    Stream("20,000 headers", GET + "X: a\r\n" * 20_000, (431,)),
    Stream("a head of 60,000 bytes", GET + f"X: {'a' * 8000}\r\n" * 8 + "\r\n", (431,)),
    good("Connection: x-closed", f"{GET}Connection: x-closed\r\n\r\n"),
    good("Connection: closed", f"{GET}Connection: closed, x\r\n\r\n"),
    Stream("Connection: close", f"{GET}Connection: close\r\n\r\n{INNER}", (200,)),
    Stream("close among others", f"{GET}Connection: x ,\tClOsE\r\n\r\n{INNER}", (200,)),
    Stream(
        "close and keep-alive",
        f"{GET}Connection: close\r\nConnection: keep-alive\r\n\r\n{INNER}",
        (200,),
    ),
    Stream("HTTP/1.0", f"GET /ok HTTP/1.0\r\n{H}\r\n{INNER}", (200,)),
    Stream(
        "an upgrade",
        f"{GET}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        (200,),
    ),
    Stream(
        "an upgrade and a body",
        f"{POST}Connection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Content-Length: {LENGTH}\r\n\r\n{INNER}",
    ),
    # Where the body ends.
    good("a body", f'{POST}Content-Length: 12\r\n\r\n{{"note":"a"}}'),
    good("a request in a body", f"{POST}Content-Length: {LENGTH}\r\n\r\n{INNER}", 400),
    Stream(
        "a request in a body that nobody takes", f"{GET}Content-Length: {LENGTH}\r\n\r\n{INNER}"
    ),
    Stream(
        "two lengths", f"{POST}Content-Length: 2\r\nContent-Length: {LENGTH}\r\n\r\n{{}}{INNER}"
    ),
    Stream("a length twice", f"{POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"),
    Stream("a list of lengths", f"{POST}Content-Length: 2, 2\r\n\r\n{{}}"),
    *(
        Stream(f"Content-Length: {length!r}", f"{POST}Content-Length: {length}\r\n\r\n{{}}{INNER}")
        for length in ("+2", "-2", "0x2", "2a", "2.0", "1_0", "2 2", "", "9" * 30, '"2"')
    ),
    good("a length with spaces around", f"{POST}Content-Length:  \t2 \t\r\n\r\n{{}}"),
    good("a length with zeros", f"{POST}Content-Length: 0002\r\n\r\n{{}}"),
    Stream("a length of a gigabyte", f"{POST}Content-Length: 1073741824\r\n\r\n", (413,)),
    Stream(
        "a length and chunks",
        f"{POST}Content-Length: {LENGTH + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    Stream(
        "chunks and a length",
        f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n{INNER}",
    ),
    *(
        Stream(
            f"Transfer-Encoding: {coding!r}",
            f"{POST}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n{INNER}",
            (400,),
        )
        for coding in (
            "chunked, gzip",
            "gzip",
            "identity",
            "xchunked",
            "chunkedx",
            "chunked;q=1",
            "chunked, chunked",
            "\x0bchunked",
            '"chunked"',
            "",
            "chunked\r\nTransfer-Encoding: x",
        )
    ),
    Stream(
        "chunks in HTTP/1.0",
        f"POST /take HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    Stream(
        "a space before Transfer-Encoding's colon",
        f"{POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    Stream(
        "a coding before chunked",
        f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{INNER}",
    ),
    # Chunks.
    good("chunks", CHUNKED + '7\r\n{"note"\r\n5\r\n:"a"}\r\n0\r\n\r\n'),
    good("an extension and a trailer", CHUNKED + "2;a=b\r\n{}\r\n0\r\nX: a\r\n\r\n"),
    good("a trailer of 256 bytes", f"{CHUNKED}2\r\n{{}}\r\n0\r\nX: {'a' * 251}\r\n\r\n"),
    good("a trailer of 254 bytes and an end", f"{CHUNKED}2\r\n{{}}\r\n0\r\nX: {'a' * 249}\r\n\r\n"),
    Stream("a request as trailers", f"{CHUNKED}0\r\nX: {'a' * 251}\r\n{INNER}"),
    good("a request as the value of a trailer", f"{CHUNKED}0\r\nX:{'a' * 254}{INNER}"),
    Stream(
        "a length as a trailer",
        f"{CHUNKED}2\r\n{{}}\r\n0\r\nContent-Length: {LENGTH}\r\n\r\n{INNER}",
    ),
    Stream("3,000 trailers", CHUNKED + "0\r\n" + "a: b\r\n" * 3000),
    Stream("an extension of 20,000 bytes", f"{CHUNKED}2;{'a' * 20_000}\r\n{{}}\r\n0\r\n\r\n"),
    Stream("a line feed in an extension", f"{CHUNKED}2;a\nb\r\n{{}}\r\n0\r\n\r\n"),
    Stream("600 chunks of a byte", CHUNKED + "1\r\na\r\n" * 600),
    *(
        Stream(f"a chunk of {size!r}", f"{CHUNKED}{size}\r\n{{}}\r\n0\r\n\r\n{INNER}")
        for size in ("0x2", "-2", "+2", " 2", "2 ", "2g", "", "1", "3", "10000000000000002", "2\t")
    ),
    Stream("a chunk size with a bare line feed", f"{CHUNKED}2\n{{}}\r\n0\r\n\r\n{INNER}"),
    Stream("a chunk that ends in a bare line feed", f"{CHUNKED}2\r\n{{}}\n0\r\n\r\n{INNER}"),
    Stream("a last chunk with bare line feeds", f"{CHUNKED}2\r\n{{}}\r\n0\n\n{INNER}"),
    # What follows.
    good("a pipeline", (GET + "\r\n") * 20, *[200] * 20),
    Stream("garbage behind a good one", f"{GET}\r\nGARBAGE\r\n\r\n{INNER}", (200, 400)),
    good("empty lines in a chunk", CHUNKED + f"{len(INNER):x}\r\n{INNER}\r\n0\r\n\r\n", 400),
    good("an unknown expectation", f"{POST}Expect: x\r\nContent-Length: 2\r\n\r\n{{}}"),
]


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


LAST = NEXT.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")


def with_next(stream):
    """A stream with a request behind it, which is to be answered or not."""
    data = stream.data if isinstance(stream.data, bytes) else stream.data.encode()
    return data + LAST.encode()


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
    statuses = statuses_in(exchange(doors.port, with_next(stream)))
    taken = time.process_time() - began
    assert statuses == [*stream.statuses, *([] if stream.closes else [200])]
    assert "inner" not in RUN
    assert RUN.count("next") == (0 if stream.closes else 1)
    assert taken < 0.05 + 10 * reference


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_stream_has_one_reading_behind_the_proxy(doors, proxy, stream):
    """The proxy refuses by itself, or puts right what it is lenient about; what it passes on we
    read as it did: no answer without a request, and nothing is run that it did not see."""
    statuses = statuses_in(exchange(proxy, with_next(stream), patience=4))
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
