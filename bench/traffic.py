"""Requests as bytes, what answers mean, and one answer at a time for those who compare."""

import datetime
import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Request:
    """What is asked, of whoever answers."""

    path: str
    method: str = "GET"
    body: Any = None
    token: str | None = None
    fresh: bool = False  # go past caches
    key: str | None = None  # the same for each repeat of one intent

    def headers(self) -> dict[str, str]:
        """Beyond Host and Content-Length."""
        headers = {"Accept": "application/json"}
        if self.fresh:
            headers["Cache-Control"] = "no-cache"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.key:
            headers["Idempotency-Key"] = self.key
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def payload(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()

    def to_bytes(self) -> str:
        """Ready to send, as characters that stand for bytes (latin-1)."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers().items()]
        body = self.payload()
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", body.decode("latin-1")])


def ask(port: int, request: Request) -> tuple[int, Any]:
    """Status and JSON of one answer; text that is none stays text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        body = request.payload() or None
        connection.request(request.method, request.path, body, request.headers())
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return answer.status, json.loads(text) if _says_json(answer) else text
    finally:
        connection.close()


def _says_json(answer: HTTPResponse) -> bool:
    return "json" in (answer.getheader("Content-Type") or "")


def plain(value: Any) -> Any:
    """A JSON value with moments as moments: Z and +00:00 say the same."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.datetime.fromisoformat(value)
    return value


def comparable(body: Any) -> Any:
    """A body as it can be compared: a cursor is opaque, so only whether there is one."""
    found = plain(body)
    if isinstance(found, dict) and "next" in found:
        found["next"] = found["next"] is not None
    return found
