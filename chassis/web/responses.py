"""What goes back to the client: JSON answers and RFC 9457 problem documents."""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson

from chassis import serialization
from chassis.errors import Fault, flatten

JSON = "application/json"
PROBLEM = "application/problem+json"

#: On every answer: it is data, for this client alone, never to be run, framed or guessed at.
SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Strict-Transport-Security", "max-age=31536000"),
)

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}


@dataclass(slots=True)
class Response:
    """A status, a body (JSON-able, bytes as they are, or None: no body at all) and headers beyond
    the usual ones, or in place of them."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = JSON

    def payload(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else dumps(self.body)

    @property
    def is_sized(self) -> bool:
        """Whether there is a `Content-Length`."""
        return self.status not in (204, 304)

    def lines(self, length: int) -> str:
        """Status line and headers for a payload of `length` bytes, whenever and to whomever."""
        headers = dict(SECURITY_HEADERS)
        headers["Cache-Control"] = "no-store"
        if self.body is not None:
            headers["Content-Type"] = self.media_type
        if self.is_sized:
            headers["Content-Length"] = str(length)
        headers.update(self.headers)
        lines = [_STATUS_LINES[self.status], *(f"{k}: {value}" for k, value in headers.items())]
        return "\r\n".join(lines)

    def head(self, length: int, more: Iterable[tuple[str, str]]) -> bytes:
        """All that goes before the payload; `more` are the request's own headers."""
        lines = [self.lines(length), "Date: " + _date(int(time.time()))]
        lines += [f"{name}: {value}" for name, value in more]
        lines += ["", ""]
        return "\r\n".join(lines).encode("latin-1")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)


def dumps(value: Any) -> bytes:
    """The body of an answer, with times in UTC as "Z"; see `chassis.serialization`."""
    return serialization.dumps(value, orjson.OPT_UTC_Z)


def problem(fault: Fault, path: str, request_id: str, trace_id: str) -> Response:
    """The fault as an `application/problem+json` answer.

    Of our own mistakes (500) it shows nothing but the ids of request and trace, under which the log
    has them.
    """
    own = fault.status == 500
    document = {
        "type": f"urn:problem-type:{fault.code}",
        "title": fault.title,
        "status": fault.status,
        "detail": type(fault).title if own else fault.detail,
        "instance": path,
        "code": fault.code,
        "request_id": request_id,
        "trace_id": trace_id,
    }
    data = {} if own else fault.data
    if data.get("errors"):
        document["errors"] = dict(flatten(data["errors"]))
    document.update((k, v) for k, v in data.items() if k not in ("errors", "retry_after"))
    return Response(document, fault.status, _headers_of(fault), PROBLEM)


def as_own(response: Response, request: Any) -> Response:
    """An answer to several who asked the same, as this one gets it: a problem has its own ids."""
    if response.media_type != PROBLEM:
        return response
    own = {
        "instance": request.path,
        "request_id": request.request_id,
        "trace_id": request.trace_id,
    }
    return Response(response.body | own, response.status, response.headers, PROBLEM)


def _headers_of(fault: Fault) -> dict[str, str]:
    headers = {"Content-Language": "en"}
    if fault.status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(fault.data.get("retry_after") or 1)))
    elif fault.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif fault.status == 405:
        headers["Allow"] = ", ".join(fault.data["allow"])
    return headers
