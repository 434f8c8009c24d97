"""The shop's door as an attacker reaches it: over sockets, from addresses of its own choice.

On Linux every address of 127.0.0.0/8 is this machine, so one program can be many clients.
"""

import contextlib
import http.client
import json
import resource
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

#: Seconds for one answer; what takes longer was no answer.
TIMEOUT = 20.0
#: Bytes of an answer that are read at most.
MOST_BYTES = 64 * 1024 * 1024


class Answer(NamedTuple):
    """Status (0 when there was none), body as JSON or text, size in bytes, seconds it took."""

    status: int
    body: Any
    headers: dict[str, str]
    size: int
    seconds: float

    @property
    def code(self) -> str | None:
        """The stable code of a problem answer."""
        return self.body.get("code") if isinstance(self.body, dict) else None


class Door:
    """Where the shop listens."""

    def __init__(self, url: str):
        parts = urlsplit(url)
        self.url = url
        self.host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 80
        self._addresses = iter(range(2, 2**16))

    def new_address(self) -> str | None:
        """An address that nobody of this run has had; None where the machine has only one."""
        if sys.platform != "linux" or not self.host.startswith("127."):
            return None
        number = next(self._addresses)
        return f"127.1.{number // 250}.{number % 250 + 1}"

    def connect(self, address: str | None, timeout: float = TIMEOUT) -> socket.socket:
        """A connection from `address`; OSError when there is none."""
        source = (address, 0) if address else None
        return socket.create_connection((self.host, self.port), timeout, source)

    def send(self, data: bytes, address: str | None = None, timeout: float = 5.0) -> bytes:
        """What comes back for a stream of bytes, until the shop closes or is silent; b"" when the
        connection was cut."""
        received = b""
        with contextlib.suppress(OSError), self.connect(address, timeout) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while len(received) < MOST_BYTES and (part := connection.recv(65536)):
                received += part
        return received

    @contextlib.contextmanager
    def crowd(self, count: int, address: str | None, first: bytes = b"") -> Iterator[None]:
        """So many open connections from one address, each having sent `first`. What the shop
        refuses or cuts is not opened again."""
        allow_files(count + 256)
        waiting, open_ = selectors.DefaultSelector(), []
        for _ in range(count):
            connection = socket.socket()
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                if address:
                    connection.bind((address, 0))
                connection.connect_ex((self.host, self.port))
                waiting.register(connection, selectors.EVENT_WRITE)
                open_.append(connection)
        until, left = time.monotonic() + 5, len(open_)
        while left and time.monotonic() < until:
            for key, _ in waiting.select(0.2):
                waiting.unregister(key.fileobj)
                left -= 1
                with contextlib.suppress(OSError):
                    key.fileobj.send(first) if first else None
        try:
            yield
        finally:
            waiting.close()
            for connection in open_:
                connection.close()


class Storm:
    """So many connections from one address that ask again as soon as anything comes back, from one
    thread: `with Storm(door, 250, make): ...`; `make()` is the next request. A connection that the
    shop closes or refuses is opened again, a hundred times a second at the most."""

    def __init__(self, door: Door, count: int, make: Callable[[], bytes]):
        self._door = door
        self._count = count
        self._make = make
        self._address = door.new_address()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._rage, daemon=True)

    def __enter__(self) -> "Storm":
        allow_files(self._count + 256)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.set()
        self._thread.join()

    def _rage(self) -> None:
        with selectors.DefaultSelector() as connections:
            missing = self._count
            while not self._ends.is_set():
                for _ in range(min(missing, 1)):
                    missing -= self._open(connections)
                for key, _ in connections.select(0.01):
                    if not self._ask_again(key.fileobj):
                        connections.unregister(key.fileobj)
                        key.fileobj.close()
                        missing += 1
            for key in list(connections.get_map().values()):
                key.fileobj.close()

    def _open(self, connections: selectors.BaseSelector) -> int:
        """1 if there is one more now."""
        try:
            connection = self._door.connect(self._address, timeout=1)
            connection.sendall(self._make())
        except OSError:
            return 0
        connection.setblocking(False)
        connections.register(connection, selectors.EVENT_READ)
        return 1

    def _ask_again(self, connection: socket.socket) -> bool:
        try:
            return bool(connection.recv(1 << 20)) and connection.send(self._make()) > 0
        except OSError:
            return False


class Person:
    """Somebody at the door, with an address and perhaps a token; not to be shared by threads."""

    def __init__(self, door: Door, address: str | None = None, token: str | None = None):
        self.door = door
        self.address = address or door.new_address()
        self.token = token
        self.user_id: str | None = None
        self.email = self.password = self.refresh_token = ""
        self._connection: http.client.HTTPConnection | None = None

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        """The answer to one request; `body` is sent as JSON unless it is bytes already."""
        sent = {"Cache-Control": "no-cache", **(headers or {})}
        if token or self.token:
            sent.setdefault("Authorization", f"Bearer {token or self.token}")
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        began = time.perf_counter()
        for fresh in (False, True):  # a kept connection may have been closed meanwhile
            try:
                return self._ask(method, path, data, sent, fresh, began)
            except (OSError, http.client.HTTPException):
                self.leave()
        return Answer(0, None, {}, 0, time.perf_counter() - began)

    def _ask(
        self,
        method: str,
        path: str,
        data: bytes | None,
        headers: dict[str, str],
        fresh: bool,
        began: float,
    ) -> Answer:
        if self._connection is None or fresh:
            source = (self.address, 0) if self.address else None
            self._connection = http.client.HTTPConnection(
                self.door.host, self.door.port, timeout=TIMEOUT, source_address=source
            )
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        content = response.read(MOST_BYTES)
        if response.will_close:
            self.leave()
        seconds = time.perf_counter() - began
        return Answer(
            response.status, _decoded(content), dict(response.headers), len(content), seconds
        )

    def leave(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def twin(self) -> "Person":
        """The same person on a connection of its own, for another thread."""
        twin = Person(self.door, self.address, self.token)
        twin.user_id, twin.email, twin.password = self.user_id, self.email, self.password
        return twin

    def twins(self, count: int) -> list["Person"]:
        """So many of them."""
        return [self.twin() for _ in range(count)]


def allow_files(count: int) -> None:
    """Let this process have so many sockets open, as far as the machine does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content[:2000].decode(errors="replace")
