"""HTTP/1.1 on one connection: eventlet's, with bounds in size and time, and strict about framing.

What is refused here never reaches a route. Where a request ends is then uncertain, so the
connection closes after the answer.
"""

from __future__ import annotations

import contextlib
import re
import socket
from logging import getLogger
from typing import Any

from eventlet import Timeout, wsgi
from nameko.web.server import HttpOnlyProtocol

from chassis.errors import Fault
from chassis.web.answers import Answer, problem
from chassis.web.bodies import Body
from chassis.web.errors import BadRequest, HeadersTooLarge, RequestTimeout, UriTooLong
from chassis.web.request import new_request_id

log = getLogger(__name__)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_ABSOLUTE = re.compile(r"\Ahttps?://[^/?#]*", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,15}\Z")
#: A client that still sends would lose our answer to a reset: we read on, but only so far.
_LINGER_SECONDS = 2
_LINGER_BYTES = 4 * 1024 * 1024


class Protocol(HttpOnlyProtocol):
    """One client's connection, for as many requests as it sends."""

    server: Any  # chassis.web.server.Wsgi
    must_linger = False

    def handle(self) -> None:
        """Serve requests until either side has had enough."""
        self.close_connection = False
        while not self.close_connection and not self.server.is_draining():
            self.handle_one_request()
            self.conn_state[2] = wsgi.STATE_IDLE

    def handle_one_request(self) -> None:
        """Wait for a request, read its head within the time for that, answer it."""
        if not self._wait_for_request():
            self.close_connection = True
            return
        self.conn_state[2] = wsgi.STATE_REQUEST
        try:
            with Timeout(self.server.limits["header_seconds"]):
                self._read_head()
            self.environ = self.get_environ()
        except Timeout:
            self.refuse(RequestTimeout())
        except Fault as fault:
            self.refuse(fault)
        else:
            self.application = self.server.app
            self.handle_one_response()
            self.must_linger = not self.environ["wsgi.input"].is_read

    def _wait_for_request(self) -> bool:
        """Whether a request begins before the client goes or has been idle for too long."""
        self.connection.settimeout(self.server.limits["idle_seconds"])
        try:
            return bool(self.rfile.peek(1))
        except (OSError, ValueError):
            return False
        finally:
            self.connection.settimeout(self.server.socket_timeout)

    def _read_head(self) -> None:
        """Request line and headers into the attributes that eventlet reads; raises `Fault`."""
        limit = self.server.url_length_limit
        self.raw_requestline = self.rfile.readline(limit)
        if self.raw_requestline == b"\r\n":  # some clients end a body with one too many
            self.raw_requestline = self.rfile.readline(limit)
        if len(self.raw_requestline) >= limit:
            raise UriTooLong()
        source = self.rfile
        self.rfile = Head(source)
        try:
            if not self.parse_request():
                raise BadRequest()
        except (wsgi.HeaderLineTooLong, wsgi.HeadersTooLarge):
            raise HeadersTooLarge() from None
        finally:
            self.rfile = source
        _check_framing(self.headers, self.request_version, self.path)
        self.path = _ABSOLUTE.sub("", self.path) or "/"

    def send_error(self, code: int, message: Any = None, explain: Any = None) -> None:
        """What the parser calls before it gives up; its words quote the client, ours don't."""
        raise HeadersTooLarge() if code == 431 else BadRequest()

    def get_environ(self) -> dict[str, Any]:
        environ = super().get_environ()
        theirs = environ["wsgi.input"]
        if self.request_version == "HTTP/1.0":  # would take `100 Continue` for the answer
            theirs.wfile = theirs.wfile_line = None
        environ["wsgi.input"] = environ["eventlet.input"] = Body(
            self.rfile,
            theirs.content_length,
            self.connection,
            wfile=theirs.wfile,
            wfile_line=theirs.wfile_line,
            chunked_input=theirs.chunked_input,
        )
        environ["wsgi.input_terminated"] = True
        environ["web.protocol"] = self
        return environ

    def refuse(self, fault: Fault) -> None:
        """Answer a request that can't be served, and be done with the client."""
        self.close_connection = self.must_linger = True
        request_id = new_request_id()
        answer = problem(fault, "", request_id)
        self.wfile.write(raw_answer(answer, request_id))
        self.server.log_access("-", None, answer, 0.0, request_id)

    def finish(self) -> None:
        if self.must_linger:
            with contextlib.suppress(OSError):  # the client is gone
                self._linger()
        super().finish()

    def _linger(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        left = _LINGER_BYTES
        with Timeout(_LINGER_SECONDS, False):
            while left > 0 and (data := self.connection.recv(65536)):
                left -= len(data)


class Head(wsgi.FileObjectForHeaders):
    """The header lines, bounded as eventlet does it, and without what parsers disagree about."""

    def readline(self, size: int = -1) -> bytes:
        line = super().readline(size)
        if not line:
            raise ConnectionError("the client went in the middle of its headers")
        if line[:1] in (b" ", b"\t") or b"\r" in line[:-2] or b"\0" in line:
            raise BadRequest("A header is folded over lines or holds control characters")
        return line


def raw_answer(answer: Answer, request_id: str) -> bytes:
    """An answer outside WSGI, after which the connection closes."""
    payload = answer.payload()
    headers = answer.header_list(len(payload))
    headers += [("X-Request-ID", request_id), ("Connection", "close")]
    lines = [f"HTTP/1.1 {answer.status_line()}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + payload


def _check_framing(headers: Any, version: str, target: str) -> None:
    """Refuse what leaves it open where this request ends and the next begins (RFC 9112)."""
    if headers.defects or headers.get_payload() or not all(map(_TOKEN.match, headers.keys())):
        raise BadRequest("A header line is malformed")
    if not target.isascii() or not target.isprintable():
        raise BadRequest("The address holds characters that have to be percent-encoded")
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest("Only HTTP/1.1 and HTTP/1.0 are spoken here")
    hosts = headers.get_all("Host", [])
    if len(hosts) > 1 or (version == "HTTP/1.1" and not hosts):
        raise BadRequest("One Host header is needed")
    lengths = headers.get_all("Content-Length", [])
    codings = headers.get_all("Transfer-Encoding", [])
    if len(lengths) + len(codings) > 1:
        raise BadRequest("The length of the body is given twice")
    if lengths and not _DIGITS.match(lengths[0]):
        raise BadRequest("Content-Length is not a number")
    if codings and (codings[0].lower() != "chunked" or version == "HTTP/1.0"):
        raise BadRequest("Only the transfer encoding chunked is read")
