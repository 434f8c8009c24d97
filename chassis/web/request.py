"""One HTTP request, as routes see it."""

from __future__ import annotations

import random
import re
import urllib.parse
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

from chassis import deadline
from chassis.errors import Fault
from chassis.trace import is_traceparent, new_traceparent
from chassis.validation import refusal
from chassis.web.client_ip import client_address, client_network
from chassis.web.errors import BadRequest, UnsupportedMediaType
from chassis.web.request_body import parse_object
from chassis.web.request_head import RequestHead
from chassis.web.responses import Response, problem

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}\Z")
_MAX_QUERY_FIELDS = 50


class Request:
    """Method, path (as sent, percent-encoded), headers, body and whose request it is.

    `actor` and `session_id` are set by the route's audience; `path_values` by the routing.
    `response_headers` go out with whatever the answer is. `request_id` and `traceparent` are the
    client's when well-formed, else made here. `client_network` is what the client counts as where
    clients are counted: its address or IPv6 network.
    `context` is what travels along with its calls, once it has a worker.
    `peer` is the address at the other end of the connection, which may be that of a proxy of ours.
    """

    __slots__ = (
        "actor",
        "body",
        "client_network",
        "context",
        "end",
        "head",
        "method",
        "path",
        "path_values",
        "request_id",
        "response_headers",
        "route",
        "session_id",
        "traceparent",
    )

    def __init__(self, head: RequestHead, peer: str, trusted_proxies: int = 0):
        self.head = head
        self.client_network = (
            client_network(client_address(peer, head.headers, trusted_proxies))
            if trusted_proxies
            else network_of_peer(peer)
        )
        self.method = head.method
        self.path = head.path
        self.path_values: Mapping[str, Any] = {}
        self.body = b""
        self.actor: Any = None
        self.session_id: uuid.UUID | None = None
        self.context: dict[str, Any] = {}
        self.response_headers: list[tuple[str, str]] = []
        self.route: Any = None
        #: Called with its response, once it has found its route.
        self.end: Any = None
        sent = head.headers.get("x-request-id", "")
        self.request_id: str = sent if _REQUEST_ID.match(sent) else new_request_id()
        parent = head.headers.get("traceparent", "")
        self.traceparent: str = parent if is_traceparent(parent) else new_traceparent()

    @classmethod
    def of_our_own(cls, method: str, path: str) -> Request:
        """A request that came on no connection of the public."""
        return cls(RequestHead(method, path, "", False, {}), "127.0.0.1")

    def __deepcopy__(self, memo: Any) -> Request:
        """Itself: a connection can't be copied, as tools do that redact a worker's arguments."""
        return self

    @property
    def trace_id(self) -> str:
        """The id of the trace that the request belongs to."""
        return self.traceparent[3:35]

    @property
    def query_string(self) -> str:
        return self.head.query

    def header(self, name: str) -> str | None:
        """A header's value; several of the same name come joined by commas."""
        return self.head.headers.get(name.lower())

    def context_data(self, budget: float) -> dict[str, Any]:
        """What travels along with every call made for this request; `budget` in seconds."""
        data = {"request_id": self.request_id, "traceparent": self.traceparent}
        deadline.begin(data, budget)
        self.context = data
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
            twice = [name for name in fields if names.count(name) > 1]
            raise refusal({name: ["Given twice."] for name in twice})
        return fields

    def json(self) -> dict[str, Any]:
        """The body's JSON object; no body at all counts as an empty one."""
        if not self.body:
            return {}
        if not _is_json(self.head.headers.get("content-type", "")):
            raise UnsupportedMediaType(
                "The body is read as application/json in UTF-8, nothing else"
            )
        return parse_object(self.body)


class RunnableRoute(Protocol):
    """What keeps the answers of routes needs to know of one."""

    path: str

    def arguments(self, request: Request) -> dict[str, Any]:
        """What its method gets besides the request; raises `Invalid`."""

    def run(self, request: Request) -> Response:
        """Run its method in a worker; raises what that raises."""


def refused(fault: Fault, request: Request) -> Response:
    """The problem that answers `request`."""
    return problem(fault, request.path, request.request_id, request.trace_id)


def new_request_id() -> str:
    """An id that no other request has; it keeps no secret, so it costs no system call."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


@lru_cache(maxsize=1024)
def network_of_peer(peer: str) -> str:
    """The network of a client that is connected without a proxy of ours."""
    return client_network(client_address(peer, {}, 0))


def _is_json(content_type: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    return kind == "application/json" and all(
        p in ("", "charset=utf-8", 'charset="utf-8"') for p in parameters
    )
