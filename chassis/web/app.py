"""Between connection and route: finds the route of a request, reads its body, shapes its answer."""

from __future__ import annotations

import time
import urllib.parse
from logging import getLogger
from typing import Any

from eventlet import Timeout
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as NoSuchMethod

from chassis import tracing
from chassis.errors import Fault, Internal
from chassis.web.answers import Answer
from chassis.web.cors import Cors
from chassis.web.errors import (
    BadRequest,
    LengthRequired,
    MethodNotAllowed,
    NoSuchRoute,
    RequestTimeout,
)
from chassis.web.limits import DEFAULT, WRITES, RateLimits
from chassis.web.request import Request, refused
from chassis.web.streams import EventStream, Flow

log = getLogger(__name__)


class App:
    """Answers every request; nothing that goes wrong leaves it as anything but a problem."""

    def __init__(self, server: Any):
        self._server = server
        self._limits = server.limits
        self._routing = server.routing()
        self._cors = Cors(self._limits["cors"])
        self._rates = RateLimits(self._limits["rate_limits"])
        self._tracer = tracing.of(server.container)

    def answer(self, request: Request, sock: Any) -> tuple[Answer, bytes, Flow | None]:
        """The answer to `request` and its payload, or what flows on `sock` in place of one."""
        started = time.perf_counter()
        request.answer_headers += self._cors.headers(request.head)
        flow = None
        try:
            answer = self._answer(request)
            payload = answer.payload()
            if isinstance(answer, EventStream) and request.method != "HEAD":
                flow = Flow(answer, self._server, sock)
        except Fault as fault:
            answer, payload = _refused(fault, request)
        except Exception:
            ids = request.request_id, request.trace_id
            log.exception("request %s of trace %s ended in an error", *ids)
            answer, payload = _refused(Internal(), request)
        self._server.log_access(
            request.method,
            request.route.path if request.route else None,
            answer,
            time.perf_counter() - started,
            request.request_id,
            request.trace_id,
        )
        if request.span is not None:
            self._tracer.answered(request.span, answer)
        return answer, payload, flow

    def _answer(self, request: Request) -> Answer:
        path = _decoded(request.path)
        if request.method == "OPTIONS":
            return Answer(status=204, headers={"Allow": ", ".join(self._methods_at(path))})
        if not request.method.isupper():  # methods are told apart by case, werkzeug's are not
            self._count(request)
            raise MethodNotAllowed(allow=self._methods_at(path))
        try:
            request.route, request.path_values = self._routing.match(path, method=request.method)
        except NoSuchMethod:
            self._count(request)
            raise MethodNotAllowed(allow=self._methods_at(path)) from None
        except HTTPException:
            self._count(request)
            raise NoSuchRoute() from None
        if self._tracer is not None:
            request.span = self._tracer.request(request)
        self._count(request)
        request.body = self._body(request)
        with self._server.slot(request.route):
            return request.route.handle_request(request)

    def _count(self, request: Request) -> None:
        """Count the request for its client; raises `TooManyRequests`. What answers for the process
        is asked by machines of ours and not counted."""
        route = request.route
        if route and route.spare:
            return
        policies = [DEFAULT]
        if request.method not in ("GET", "HEAD"):
            policies.append(WRITES)
        client = None
        if route and route.limit:  # where one signs in, nobody is a user yet
            policies.append(route.limit)
        else:
            client = self._server.user_of(request)
        client = client or request.client_network
        headers, refusal = self._rates.take(client, tuple(policies))
        request.answer_headers += headers
        if refusal:
            raise refusal

    def _methods_at(self, path: str) -> list[str]:
        methods = {m.upper() for m in self._routing.allowed_methods(path)}
        if not methods:
            raise NoSuchRoute()
        return sorted(methods | {"OPTIONS"})

    def _body(self, request: Request) -> bytes:
        """The body, before a worker is taken: a slow client holds nothing but its connection."""
        body = request.source
        if not body.is_announced:
            if request.route.needs_body:
                raise LengthRequired()
            return b""
        if request.route.body is None:
            raise BadRequest("This route takes no body", code="body_not_expected")
        try:
            with Timeout(self._limits["body_seconds"]):
                return body.read_all(self._limits["body_limit"])
        except (Timeout, TimeoutError):
            raise RequestTimeout() from None
        except OSError:
            raise BadRequest("The body ended before its announced end") from None


def _refused(fault: Fault, request: Request) -> tuple[Answer, bytes]:
    answer = refused(fault, request)
    return answer, answer.payload()


def _decoded(path: str) -> str:
    """The path without a trailing slash; what is not UTF-8 once decoded is no path."""
    try:
        return urllib.parse.unquote(path, errors="strict").removesuffix("/") or "/"
    except UnicodeError:
        raise NoSuchRoute() from None
