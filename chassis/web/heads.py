"""The head of a request: its first line and its headers, read strictly (RFC 9112).

What is refused here never reaches a route: what two parsers could read differently, and what leaves
open where this request ends and the next one begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from chassis.web.errors import BadRequest, HeadersTooLarge, UriTooLong

#: Bytes of one line, and of all headers together.
MAX_LINE, MAX_HEAD = 8192, 65536
MAX_HEADERS = 100

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(_TOKEN.join((rb"(", rb") ([\x21-\x7e]+) HTTP/1\.([01])\r\n\Z")))
_FIELD = re.compile(_TOKEN.join((rb"(", rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)\r\n\Z")))
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,15}\Z")
#: Headers of which two could mean two things.
_ALONE = frozenset({"host", "content-length", "transfer-encoding"})


@dataclass(slots=True)
class Head:
    """`path` and `query` as sent, percent-encoded; `headers` by name in lower case, several of one
    name joined by commas."""

    method: str
    path: str
    query: str
    is_http_1_0: bool
    headers: dict[str, str]

    @property
    def is_last(self) -> bool:
        """Whether the client wants the connection closed after the answer."""
        return self.is_http_1_0 or "close" in self.headers.get("connection", "").lower()

    @property
    def content_length(self) -> int:
        return int(self.headers.get("content-length", 0))

    @property
    def is_chunked(self) -> bool:
        return "transfer-encoding" in self.headers

    @property
    def awaits_continue(self) -> bool:
        """Whether the client sends its body only when told to."""
        return self.headers.get("expect", "").lower() == "100-continue" and not self.is_http_1_0


def read(stream: Any) -> Head:
    """The next head of a buffered stream of bytes.

    Raises `BadRequest`, `UriTooLong` or `HeadersTooLarge`, and ConnectionError when the client goes
    in the middle of it.
    """
    line = stream.readline(MAX_LINE)
    if line == b"\r\n":  # some clients end a body with one too many
        line = stream.readline(MAX_LINE)
    if len(line) >= MAX_LINE:
        raise UriTooLong()
    match = _REQUEST_LINE.match(line)
    if match is None:
        raise _broken(line, "The first line is no request line of HTTP/1.1")
    target = match[2].decode()
    if not target.startswith("/"):
        target = _ABSOLUTE.sub("", target, count=1)
    path, _, query = target.partition("?")
    head = Head(match[1].decode(), path or "/", query, match[3] == b"0", _headers(stream))
    _check_framing(head)
    return head


def _headers(stream: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    size = count = 0
    while (line := stream.readline(MAX_LINE)) != b"\r\n":
        size, count = size + len(line), count + 1
        if len(line) >= MAX_LINE or size > MAX_HEAD or count > MAX_HEADERS:
            raise HeadersTooLarge()
        match = _FIELD.match(line)
        if match is None:
            raise _broken(line, "A header line is malformed")
        name = match[1].decode().lower()
        value = match[2].rstrip().decode("latin-1")
        if name in headers:
            if name in _ALONE:
                raise BadRequest(f"The header {name} is given twice")
            value = f"{headers[name]},{value}"
        headers[name] = value
    return headers


def _broken(line: bytes, what: str) -> Exception:
    if not line.endswith(b"\n"):
        return ConnectionError("the client went in the middle of a line")
    return BadRequest(what)


def _check_framing(head: Head) -> None:
    headers = head.headers
    if "host" not in headers and not head.is_http_1_0:
        raise BadRequest("A Host header is needed")
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if length is not None and coding is not None:
        raise BadRequest("The length of the body is given twice")
    if length is not None and not _DIGITS.match(length):
        raise BadRequest("Content-Length is not a number")
    if coding is not None and (coding.lower() != "chunked" or head.is_http_1_0):
        raise BadRequest("Only the transfer encoding chunked is read")
