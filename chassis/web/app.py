"""Between connection and route: finds the route of a request, reads its body, shapes its answer."""

from __future__ import annotations

import time
from logging import getLogger
from typing import Any

from eventlet import Timeout
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as NoSuchMethod

from chassis import observers
from chassis.errors import Fault, Internal
from chassis.web.answers import Answer
from chassis.web.cors import Cors
from chassis.web.errors import (
    BadRequest,
    LengthRequired,
    MethodNotAllowed,
    NoSuchRoute,
    RequestTimeout,
    UnsupportedMediaType,
)
from chassis.web.limits import DEFAULT, WRITES, RateLimits
from chassis.web.paths import decoded
from chassis.web.request import Request, refused
from chassis.web.streams import EventStream, Flow

log = getLogger(__name__)

#: What `OPTIONS *` is told: what some route or other takes.
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


class App:
    """Answers every request; nothing that goes wrong leaves it as anything but a problem."""

    def __init__(self, server: Any):
        self._server = server
        self._limits = server.limits
        self._routing = server.routing()
        self._cors = Cors(self._limits["cors"])
        self._rates = RateLimits(self._limits["rate_limits"])
        self._hidden = server.hidden_paths()
        self._redirects = self._limits["redirects"]
        self._observers = observers.of(server.container)

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
        finally:
            request.body = b""
            request.source.close()
        self._server.log_access(
            request.method,
            request.route.path if request.route else None,
            answer,
            time.perf_counter() - started,
            request.request_id,
            request.trace_id,
        )
        if request.end is not None:
            request.end(answer)
        return answer, payload, flow

    def _answer(self, request: Request) -> Answer:
        if request.method in ("GET", "HEAD"):
            elsewhere = self._redirects.get(request.path.removesuffix("/") or "/")
            if elsewhere is not None:
                self._count(request)
                return Answer(status=302, headers={"Location": elsewhere})
        self._find_route(request)
        if request.route:
            request.end = self._observers.routed(request)
        self._count(request)
        route = request.route
        if route is None:
            return Answer(status=204, headers={"Allow": ", ".join(self._methods_at(request.path))})
        if route.probe:
            return self._server.probes.answer(route, request)
        request.body = self._body(request)
        with self._server.slot(request):
            return route.handle_request(request)

    def _find_route(self, request: Request) -> None:
        """Set the request's route and the values in its path; no route for OPTIONS. A request that
        leads nowhere is counted as well as any other."""
        try:
            if request.method != "OPTIONS":
                path = self._plain(request.path)
                request.route, request.path_values = self._routing.match(path, request.method)
        except NoSuchMethod:
            self._count(request)
            raise MethodNotAllowed(allow=self._methods_at(request.path)) from None
        except (HTTPException, NoSuchRoute):
            self._count(request)
            raise NoSuchRoute() from None

    def _count(self, request: Request) -> None:
        """Count the request for its client; raises `TooManyRequests`."""
        route = request.route
        policies = [DEFAULT]
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            policies.append(WRITES)
        client = None
        if route and route.limit:  # where one signs in, nobody is a user yet
            policies.append(route.limit)
        elif self._server.callers is not None:
            client = self._server.callers.user_of(request)
        client = client or request.client_network
        headers, refusal = self._rates.take(client, tuple(policies))
        request.answer_headers += headers
        if refusal:
            raise refusal

    def _methods_at(self, path: str) -> list[str]:
        if path == "*":
            return _METHODS
        methods = {m.upper() for m in self._routing.allowed_methods(self._plain(path))}
        if not methods:
            raise NoSuchRoute()
        return sorted(methods | {"OPTIONS"})

    def _plain(self, path: str) -> str:
        plain = decoded(path)
        if plain in self._hidden:
            raise NoSuchRoute()
        return plain

    def _body(self, request: Request) -> bytes:
        """The body, before a worker is taken: a slow client holds nothing but its connection. What
        can be refused by the head is refused before anything is kept."""
        source, route = request.source, request.route
        if route.body is None:
            if source.is_pending:
                raise BadRequest("This route takes no body", code="body_not_expected")
            return b""
        if self._server.callers is not None and 401 in route.who.refusals:
            self._server.callers.authenticate(request)
        if not source.has_length:
            if route.needs_body:
                raise LengthRequired()
            return b""
        if (request.header("Content-Encoding") or "identity").lower() != "identity":
            request.answer_headers.append(("Accept-Encoding", "identity"))
            raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding")
        try:
            with Timeout(self._limits["body_seconds"]):
                return source.read_all(self._limits["body_limit"])
        except (Timeout, TimeoutError):
            raise RequestTimeout() from None
        except OSError:
            raise BadRequest("The body ended before its announced end") from None


def _refused(fault: Fault, request: Request) -> tuple[Answer, bytes]:
    answer = refused(fault, request)
    return answer, answer.payload()
