"""The head of a request: what it asks for and of whom, read strictly (RFC 9112).

What is refused here never reaches a route: what two programs could read differently, and what
leaves open where this request ends and the next one begins.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from chassis.web.errors import BadRequest

_NAME = re.compile(r"[A-Za-z0-9._~-]{1,255}\Z")
_DIGITS = re.compile(r"[0-9]{1,15}\Z")
_ABSOLUTE = re.compile(r"https?://([^/?]*)(.*)\Z", re.IGNORECASE | re.DOTALL)
#: A percent sign that begins no encoded byte.
_LOOSE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: Headers of which two could mean two things.
_ALONE = frozenset({"host", "content-length", "transfer-encoding"})


@dataclass(slots=True)
class RequestHead:
    """`path` and `query` as sent, percent-encoded; `headers` by name in lower case, several of one
    name joined by commas. `is_last`: the connection closes after the answer."""

    method: str
    path: str
    query: str
    is_http_1_0: bool
    headers: dict[str, str]
    is_last: bool = False

    @property
    def has_length(self) -> bool:
        """Whether the client said how long the body is, be it nothing."""
        return self.is_chunked or "content-length" in self.headers

    @property
    def content_length(self) -> int:
        return int(self.headers.get("content-length", 0))

    @property
    def is_chunked(self) -> bool:
        return "transfer-encoding" in self.headers

    @property
    def awaits_continue(self) -> bool:
        """Whether the client sends its body only when asked to."""
        return self.headers.get("expect", "").lower() == "100-continue" and not self.is_http_1_0


def read_head(
    method: str, target: str, version: str, fields: list[tuple[bytes, bytes]]
) -> RequestHead:
    """The head with these parts, as the parser found them; raises `BadRequest`."""
    if version not in ("1.0", "1.1"):
        raise BadRequest("Only HTTP/1.1 and 1.0 are spoken here")
    headers = _joined(fields)
    is_http_1_0 = version == "1.0"
    path, query = _read_target(method, target, headers, is_http_1_0)
    coding = headers.get("transfer-encoding")
    if coding is not None and is_http_1_0:
        raise BadRequest("HTTP/1.0 has no transfer encoding")
    if coding is not None and coding.lower() != "chunked":
        raise BadRequest("The only transfer coding is chunked")
    if not _DIGITS.match(headers.get("content-length", "0")):
        raise BadRequest("Content-Length is not a number")
    return RequestHead(method, path, query, is_http_1_0, headers, is_last=is_http_1_0)


def _joined(fields: list[tuple[bytes, bytes]]) -> dict[str, str]:
    several: dict[str, list[str]] = {}
    for raw_name, raw_value in fields:
        name = raw_name.decode("ascii").lower()
        value = raw_value.strip(b" \t").decode("latin-1")
        if name not in several:
            several[name] = [value]
        elif name in _ALONE:
            raise BadRequest(f"The header {name} is given twice")
        else:
            several[name].append(value)
    return {name: ",".join(values) for name, values in several.items()}


def _read_target(
    method: str, target: str, headers: dict[str, str], is_http_1_0: bool
) -> tuple[str, str]:
    """Path and query (RFC 9112, 3.2). With the absolute form, its authority is the host, whatever
    the header says; but that has to be there and sound, too."""
    host = headers.get("host")
    if host is None and not is_http_1_0:
        raise BadRequest("A Host header is needed")
    if host is not None and not _is_authority(host):
        raise BadRequest("Host is not the name of a host")
    if method == "CONNECT":
        raise BadRequest("This is no proxy")
    if "#" in target or _LOOSE_PERCENT.search(target):
        raise BadRequest("The request target is malformed")
    if method == "OPTIONS" and target == "*":
        return target, ""
    if not target.startswith("/"):
        absolute = _ABSOLUTE.match(target)
        if absolute is None or not _is_authority(absolute[1]):
            raise BadRequest("The request target is neither a path nor the address of one")
        headers["host"], target = absolute[1], absolute[2]
        if method == "OPTIONS" and not target:
            return "*", ""
    path, _, query = target.partition("?")
    return path or "/", query


@lru_cache(maxsize=256)
def _is_authority(text: str) -> bool:
    """Whether it is a host, with a port or without; a user has no place there."""
    host, port = text, ""
    if text.startswith("["):
        host, closing, port = text[1:].partition("]")
        if not closing or port[:1] not in ("", ":") or not _is_ipv6(host):
            return False
        port = port[1:]
    else:
        host, _, port = text.partition(":")
        if not _NAME.match(host):
            return False
    return not port or (_DIGITS.match(port) is not None and int(port) < 65536)


def _is_ipv6(text: str) -> bool:
    try:
        return "%" not in text and bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False
