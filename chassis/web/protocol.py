"""HTTP/1.1 on one connection: bounds in size and time, one request after the other.

Where something is refused before its end is known, the connection closes after the answer.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping
from logging import getLogger
from typing import Any, Protocol

import eventlet
from eventlet import Timeout
from eventlet.greenio import shutdown_safe
from eventlet.hubs import trampoline

from chassis.errors import Fault
from chassis.web.errors import RequestTimeout
from chassis.web.framing import Framing
from chassis.web.request import Request, new_request_id
from chassis.web.request_body import RequestBody
from chassis.web.request_head import RequestHead
from chassis.web.responses import Response
from chassis.web.shares import Shares
from chassis.web.stopping import Stopping
from chassis.web.streams import SseConnection

log = getLogger(__name__)

#: A client that still sends would lose our answer to a reset: we read on, but only so far.
_LINGER_SECONDS = 2
_LINGER_BYTES = 4 * 1024 * 1024
_CLOSE = ("Connection", "close")
_LAST_CHUNK = b"0\r\n\r\n"
#: Payloads up to this size go out in one write with their head; others are not copied.
_SMALL = 65536
#: Bytes in a second with which nobody is too slow.
SLOWEST = 16 * 1024
#: Requests of one connection that are answered without a break for other connections.
IN_A_ROW = 4

Headers = list[tuple[str, str]]


class Application(Protocol):
    """What answers the requests of a connection."""

    def answer(
        self, request: Request, body: RequestBody, sock: Any
    ) -> tuple[Response, bytes, SseConnection | None]:
        """The answer to `request` and its payload, or what flows on `sock` in place of one."""

    def refuse(self, fault: Fault, request_id: str) -> Response:
        """The answer to what can't be served as a request."""


class Connection:
    """One client's connection, for as many requests as it sends."""

    def __init__(
        self,
        sock: Any,
        peer: str,
        app: Application,
        limits: Mapping[str, Any],
        bodies: Shares,
        stopping: Stopping,
    ):
        """`peer` is the client's address; `bodies` is how many bytes of bodies there may be."""
        self.sock = sock
        #: When it came or was last answered; None while a request is being served.
        self._idle_since: float | None = time.monotonic()
        self._app = app
        self._limits = limits
        self._bodies = bodies
        self._stopping = stopping
        self._peer = peer
        self._framing = Framing(sock)
        self._is_over = False
        self._must_linger = False
        self._in_a_row = 0
        # An answer is one write; waiting for more of it would only keep the client waiting.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def serve(self) -> None:
        """Serve requests until either side closes the connection."""
        # Who connects has something to say; between two requests there may be a longer pause.
        seconds = self._limits["header_seconds"]
        while not self._is_over and self._has_request(seconds):
            seconds = self._limits["idle_seconds"]
            self._idle_since = None
            self._serve_one()
            self._idle_since = time.monotonic()
        if self._must_linger:
            with contextlib.suppress(OSError):  # the client is gone
                self._linger()

    @property
    def is_over(self) -> bool:
        """Nothing will be served on it any more."""
        return self._is_over and self._idle_since is not None

    def part(self, seconds: float) -> None:
        """Close it if nothing has been said for so long; what is arriving just now is answered."""
        if self._idle_since is None or time.monotonic() < self._idle_since + seconds:
            return
        if not self._is_over and not _has_arrived(self.sock):
            self._is_over = True
            shutdown_safe(self.sock)

    def refuse(self, fault: Fault) -> None:
        """Answer what can't be served, and be done with the client."""
        self._is_over = self._must_linger = True
        request_id = new_request_id()
        response = self._app.refuse(fault, request_id)
        self._send(response, response.payload(), [("X-Request-ID", request_id)])

    def close(self) -> None:
        self.sock.close()

    def _has_request(self, seconds: float) -> bool:
        """Whether one begins before the client goes or that time is over. Now and then, others have
        their turn first: a client that never pauses would keep it."""
        try:
            self._in_a_row += 1
            if not self._framing.has_data and not _has_arrived(self.sock):
                self._in_a_row = 0
                trampoline(self.sock, read=True, timeout=seconds, timeout_exc=TimeoutError)
            elif self._in_a_row == IN_A_ROW:
                self._in_a_row = 0
                eventlet.sleep(0)
            return self._framing.await_data()
        except (OSError, ValueError):
            return False

    def _serve_one(self) -> None:
        try:
            head = self._read_head()
        except Timeout:
            self.refuse(RequestTimeout())
        except Fault as fault:
            self.refuse(fault)
        else:
            request = Request(head, self._peer, self._limits["trusted_proxies"])
            client = request.client_network
            body = RequestBody(self._framing, head, self._bodies, client, self._tell_to_go_on)
            self._answer(request, body)

    def _read_head(self) -> RequestHead:
        """The head, within the time for that; most often all of it is there already."""
        if self._framing.has_whole_head:
            return self._framing.read_head()
        with Timeout(self._limits["header_seconds"]):
            return self._framing.read_head()

    def _tell_to_go_on(self) -> None:
        self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _answer(self, request: Request, body: RequestBody) -> None:
        response, payload, stream = self._app.answer(request, body, self.sock)
        self._must_linger = body.is_pending
        if stream or self._must_linger or request.head.is_last or self._stopping.has_begun:
            self._is_over = True
        headers = [("X-Request-ID", request.request_id), *request.response_headers]
        if stream is not None:
            self._stream_out(response, stream, headers, is_chunked=not request.head.is_http_1_0)
        elif request.method == "HEAD":
            self._send_head(response, len(payload), headers)
        else:
            self._send(response, payload, headers)

    def _send_head(self, response: Response, length: int, headers: Headers) -> None:
        self.sock.sendall(self._head(response, length, headers))

    def _send(self, response: Response, payload: bytes, headers: Headers) -> None:
        head = self._head(response, len(payload), headers)
        if len(payload) <= _SMALL:
            self._write(head + payload)
        else:
            self._write(head)
            self._write(payload)

    def _write(self, data: bytes) -> None:
        """Hand `data` to a client that takes it soon; TimeoutError for one that does not."""
        rest = memoryview(data)
        rest = rest[self.sock.send(rest) :]
        if rest:
            with Timeout(self._limits["write_seconds"] + len(rest) / SLOWEST, TimeoutError()):
                self.sock.sendall(rest)

    def _head(self, response: Response, length: int, headers: Headers) -> bytes:
        return response.head(length, [*headers, _CLOSE] if self._is_over else headers)

    def _stream_out(
        self, response: Response, stream: SseConnection, headers: Headers, *, is_chunked: bool
    ) -> None:
        """Send what flows; in chunks, where the client knows them, so that it can tell the end
        from a broken line."""
        if is_chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        try:
            self._send_head(response, 0, headers)
            for data in stream:
                self.sock.sendall(_chunk(data) if is_chunked else data)
            if is_chunked:
                self.sock.sendall(_LAST_CHUNK)
        except Timeout:
            log.debug("a stream's client took nothing of it for too long")
        finally:
            stream.close()

    def _linger(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)
        left = _LINGER_BYTES
        with Timeout(_LINGER_SECONDS, False):
            while left > 0 and (data := self.sock.recv(65536)):
                left -= len(data)


def _has_arrived(sock: Any) -> bool:
    """Whether something is there to be read, by a look that waits for nothing."""
    try:
        return bool(sock.fd.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
