"""Where requests begin and end on a connection: llhttp says (`httptools`), in its strict mode.

llhttp reads on behind the end of a request. So that nothing behind a request is looked at before
that is answered, the parser is fed up to where one can end: a head and a chunked body end with an
empty line, any other body has a known length. What llhttp takes although RFC 9112 does not is
refused here and in `chassis.web.request_head`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
import httptools

from chassis.web.errors import (
    BadRequest,
    ContentTooLarge,
    HeadersTooLarge,
    UriTooLong,
)
from chassis.web.request_head import RequestHead, read_head

#: Bytes of the request target and of one header, and of a whole head.
MAX_LINE, MAX_HEAD = 8192, 32768
MAX_HEADERS = 100
#: Bytes that may frame the chunks of a body, trailers included, beyond one for each byte in them.
MAX_FRAMING = 2048

#: Bytes that are taken from the socket at once.
RECEIVE = 8192
#: Parsed without a break for other connections.
_TURN = 65536
_EMPTY_LINE = b"\r\n\r\n"


class Framing:
    """The requests that arrive on one socket, one after the other.

    `read_head` and `read_body` raise a `Fault` for what can't be read, after which nothing more may
    be, and ConnectionError when the client goes in the middle.
    """

    def __init__(self, sock: Any):
        self._sock = sock
        self._parser = httptools.HttpRequestParser(self)
        self._arrived, self._parsed = b"", 0
        self._begin()

    def _begin(self) -> None:
        self._raw = bytearray()
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_head_read = self._is_whole = self._is_last = self._is_upgrade = False
        self._body = bytearray()
        self._fault: Exception | None = None

    @property
    def has_whole_head(self) -> bool:
        """Whether the next head can be read without waiting for the client."""
        return self._arrived.find(_EMPTY_LINE, self._parsed) >= 0

    @property
    def has_data(self) -> bool:
        """Whether something is here that has not been read; nothing is kept where there is not."""
        if self._parsed == len(self._arrived):
            self._arrived, self._parsed = b"", 0
        return bool(self._arrived)

    def await_data(self) -> bool:
        """Wait for a request to begin, as long as the socket's timeout allows; False when the
        client has closed its end."""
        if not self.has_data:
            self._arrived = self._sock.recv(RECEIVE)
        return bool(self._arrived)

    def read_head(self) -> RequestHead:
        """The next request's head."""
        self._begin()
        while not self._is_head_read:
            piece = self._piece()
            self._raw += piece
            self._feed(piece)
            if len(self._raw) > MAX_HEAD:
                raise HeadersTooLarge()
            if piece.endswith(_EMPTY_LINE) and not self._is_head_read:
                raise BadRequest("A request begins with its first line")
        method = self._parser.get_method()
        version = self._parser.get_http_version()
        # llhttp also takes several spaces, RTSP and bare line feeds before the first line.
        first = b"%b %b HTTP/%b\r\n" % (method, self._target, version.encode())
        if not self._raw.removeprefix(b"\r\n").startswith(first):
            raise BadRequest("The first line is no request line of HTTP/1.1")
        head = read_head(method.decode(), self._target.decode(), version, self._headers)
        head.is_last = head.is_last or self._is_last or self._is_upgrade
        if self._is_upgrade and (head.content_length or head.is_chunked):
            raise BadRequest("A request with a body can't ask for another protocol")
        return head

    def read_body(self, head: RequestHead, limit: int, take: Callable[[int], None]) -> bytes:
        """The body that follows `head`, of at most `limit` bytes; `take` is called with the
        size of each part before that is kept."""
        try:
            self._read_body(head, limit, take)
            return bytes(self._body)
        finally:
            self._body = bytearray()

    def _read_body(self, head: RequestHead, limit: int, take: Callable[[int], None]) -> None:
        size = turn = 0
        while not self._is_whole:
            piece = self._piece() if head.is_chunked else self._part(head.content_length - size)
            take(len(piece))
            self._feed(piece)
            size += len(piece)
            if len(self._body) > limit:
                raise ContentTooLarge(f"A body has at most {limit} bytes")
            if head.is_chunked and size > 2 * len(self._body) + MAX_FRAMING:
                raise BadRequest("There is too much around the chunks")
            if size - turn > _TURN:
                turn = size
                eventlet.sleep(0)

    def _feed(self, piece: bytes) -> None:
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:  # which we don't: the request is answered as it is
            self._is_upgrade = True
        except httptools.HttpParserError as error:
            raise self._fault or BadRequest(str(error) or "That is not HTTP/1.1") from None
        if self._fault is not None:
            raise self._fault

    def _piece(self) -> bytes:
        """What may be parsed next: up to the first empty line, without a part of one at the end of
        what has arrived."""
        while True:
            end = self._arrived.find(_EMPTY_LINE, self._parsed)
            if end >= 0:
                return self._cut(end + len(_EMPTY_LINE))
            end = len(self._arrived) - _begun(self._arrived, self._parsed)
            if end > self._parsed:
                return self._cut(end)
            self._receive()

    def _part(self, most: int) -> bytes:
        """What has arrived, up to `most` bytes of it."""
        if self._parsed == len(self._arrived):
            self._receive()
        return self._cut(min(len(self._arrived), self._parsed + most))

    def _cut(self, end: int) -> bytes:
        piece = self._arrived[self._parsed : end]
        self._parsed = end
        return piece

    def _receive(self) -> None:
        data = self._sock.recv(RECEIVE)
        if not data:
            raise ConnectionError("the client went in the middle of a request")
        self._arrived, self._parsed = self._arrived[self._parsed :] + data, 0

    # What the parser calls. An exception would be lost in it, so faults are kept.

    def on_url(self, part: bytes) -> None:
        self._target += part
        if len(self._target) > MAX_LINE:
            self._fault = UriTooLong()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_head_read:
            return  # a trailer
        if len(self._headers) >= MAX_HEADERS or len(name) + len(value) > MAX_LINE:
            self._fault = HeadersTooLarge()
        else:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._is_head_read = True
        self._is_last = not self._parser.should_keep_alive()  # forgotten with the message's end

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        self._is_whole = True


def _begun(data: bytes, start: int) -> int:
    """How many bytes at the end may be the begin of an empty line."""
    for begin in (b"\r\n\r", b"\r\n", b"\r"):
        if data.endswith(begin, start):
            return len(begin)
    return 0
