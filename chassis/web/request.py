"""One HTTP request, as routes see it."""

from __future__ import annotations

import re
import urllib.parse
import uuid
from typing import Any

from chassis import deadline
from chassis.errors import Invalid
from chassis.trace import new_traceparent
from chassis.web.addresses import client_address, client_network
from chassis.web.bodies import parse_object
from chassis.web.errors import BadRequest, UnsupportedMediaType

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}\Z")
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_MAX_QUERY_FIELDS = 50


class Request:
    """Method, path (as sent, percent-encoded), headers, body and whose request it is.

    `actor` is set by the route's audience; `path_values` by the routing. `answer_headers` go
    out with whatever the answer is. `request_id` and
    `traceparent` are the client's when well-formed, else made here.
    """

    __slots__ = (
        "actor",
        "answer_headers",
        "body",
        "environ",
        "method",
        "path",
        "path_values",
        "request_id",
        "route",
        "traceparent",
    )

    def __init__(self, environ: dict[str, Any]):
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ["RAW_PATH_INFO"]
        self.path_values: dict[str, str] = {}
        self.body = b""
        self.actor: Any = None
        self.answer_headers: list[tuple[str, str]] = []
        self.route: Any = None
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        self.request_id: str = sent if _REQUEST_ID.match(sent) else new_request_id()
        parent = environ.get("HTTP_TRACEPARENT", "")
        self.traceparent: str = parent if is_traceparent(parent) else new_traceparent()

    @property
    def client_address(self) -> str:
        """Where the request comes from; what to believe of that is `web.trusted_proxies`."""
        limits = self.environ["web.protocol"].server.limits
        return client_address(self.environ, limits["trusted_proxies"])

    @property
    def client_network(self) -> str:
        """What the client counts as where attempts are counted."""
        return client_network(self.client_address)

    @property
    def query_string(self) -> str:
        return self.environ.get("QUERY_STRING", "")

    def header(self, name: str) -> str | None:
        """A header's value; several of the same name come joined by commas."""
        return self.environ.get("HTTP_" + name.upper().replace("-", "_"))

    def context_data(self, budget: float) -> dict[str, Any]:
        """What travels along with every call made for this request; `budget` in seconds."""
        data = {"request_id": self.request_id, "traceparent": self.traceparent}
        deadline.begin(data, budget)
        return data

    def query(self) -> dict[str, str]:
        """The query's fields; one given twice, or more than there can be, raise `Invalid`."""
        if not self.query_string:
            return {}
        try:
            pairs = urllib.parse.parse_qsl(
                self.query_string,
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_QUERY_FIELDS,
            )
        except ValueError:
            raise BadRequest("The query can't be read") from None
        fields = dict(pairs)
        if len(fields) < len(pairs):
            names = [name for name, _ in pairs]
            raise Invalid(errors={n: ["Given twice."] for n in fields if names.count(n) > 1})
        return fields

    def json(self) -> dict[str, Any]:
        """The body's JSON object; no body at all counts as an empty one."""
        if not self.body:
            return {}
        if not _is_json(self.environ.get("CONTENT_TYPE", "")):
            raise UnsupportedMediaType(
                "The body is read as application/json in UTF-8, nothing else"
            )
        return parse_object(self.body)


def new_request_id() -> str:
    return str(uuid.uuid4())


def is_traceparent(value: str) -> bool:
    """Whether `value` is a W3C traceparent that can be passed on."""
    match = _TRACEPARENT.match(value)
    if match is None:
        return False
    # Version 00 ends there; a later one may go on after a dash.
    rest = value[match.end() :]
    return not rest or (not value.startswith("00") and rest.startswith("-") and len(value) <= 256)


def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    return kind == "application/json" and all(
        p in ("", "charset=utf-8", 'charset="utf-8"') for p in parameters
    )
