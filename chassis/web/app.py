"""Between connection and route: finds the route of a request, reads its body, shapes its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from logging import getLogger
from typing import Any

from eventlet import Timeout
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as NoSuchMethod
from werkzeug.routing import MapAdapter

from chassis.errors import Fault, Internal
from chassis.observers import Observers
from chassis.trace import new_trace_id
from chassis.web.access_log import AccessLog
from chassis.web.cors import Cors
from chassis.web.errors import (
    BadRequest,
    LengthRequired,
    MethodNotAllowed,
    NoSuchRoute,
    RequestTimeout,
    UnsupportedMediaType,
)
from chassis.web.limits import Callers, RateLimits, policies_of
from chassis.web.paths import decoded
from chassis.web.probes import Probes
from chassis.web.request import Request, refused
from chassis.web.request_body import RequestBody
from chassis.web.responses import Response, problem
from chassis.web.shares import RequestPlaces
from chassis.web.streams import EventStream, SseConnection, Streams

log = getLogger(__name__)

#: The answer to `OPTIONS *`: the methods that any route takes.
_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


class App:
    """Answers every request; nothing that goes wrong leaves it as anything but a problem.

    `routing` finds the route of a path and method; `redirects` are paths that lead to others.
    """

    def __init__(
        self,
        limits: Mapping[str, Any],
        routing: MapAdapter,
        redirects: Mapping[str, str],
        *,
        places: RequestPlaces,
        probes: Probes,
        callers: Callers | None,
        streams: Streams,
        access_log: AccessLog,
        observers: Observers,
    ):
        self.callers = callers
        self._limits = limits
        self._routing = routing
        self._redirects = redirects
        self._places = places
        self._probes = probes
        self._streams = streams
        self._access_log = access_log
        self._observers = observers
        self._cors = Cors(limits["cors"])
        self._rates = RateLimits(limits["rate_limits"])

    def answer(
        self, request: Request, body: RequestBody, sock: Any
    ) -> tuple[Response, bytes, SseConnection | None]:
        """The answer to `request` and its payload, or what flows on `sock` in place of one."""
        started = time.perf_counter()
        request.response_headers += self._cors.headers(request.head)
        stream = None
        try:
            response = self._answer(request, body)
            payload = response.payload()
            if isinstance(response, EventStream) and request.method != "HEAD":
                stream = SseConnection(response, self._streams, sock, self._limits["write_seconds"])
        except Fault as fault:
            response, payload = _refused(fault, request)
        except Exception:
            ids = request.request_id, request.trace_id
            log.exception("request %s of trace %s ended in an error", *ids)
            response, payload = _refused(Internal(), request)
        finally:
            request.body = b""
            body.close()
        self._access_log.record(
            request.method,
            request.route.path if request.route else None,
            response,
            time.perf_counter() - started,
            request.request_id,
            request.trace_id,
        )
        if request.end is not None:
            request.end(response)
        return response, payload, stream

    def refuse(self, fault: Fault, request_id: str) -> Response:
        """The answer to what can't be served as a request."""
        trace_id = new_trace_id()
        response = problem(fault, "", request_id, trace_id)
        self._access_log.record("-", None, response, 0.0, request_id, trace_id)
        return response

    def _answer(self, request: Request, body: RequestBody) -> Response:
        if request.method in ("GET", "HEAD"):
            elsewhere = self._redirects.get(request.path.removesuffix("/") or "/")
            if elsewhere is not None:
                self._count(request)
                return Response(status=302, headers={"Location": elsewhere})
        self._find_route(request)
        if request.route:
            request.end = self._observers.routed(request)
        self._count(request)
        route = request.route
        if route is None:
            return Response(
                status=204, headers={"Allow": ", ".join(self._methods_at(request.path))}
            )
        if route.probe:
            return self._probes.answer(route, request)
        request.body = self._read(body, request)
        with self._places.place(request.client_network, route.limit):
            return route.handle_request(request)

    def _find_route(self, request: Request) -> None:
        """Set the request's route and the values in its path; no route for OPTIONS. A request that
        leads nowhere is counted as well as any other."""
        try:
            if request.method != "OPTIONS":
                path = decoded(request.path)
                request.route, request.path_values = self._routing.match(path, request.method)
        except NoSuchMethod:
            self._count(request)
            raise MethodNotAllowed(allow=self._methods_at(request.path)) from None
        except (HTTPException, NoSuchRoute):
            self._count(request)
            raise NoSuchRoute() from None

    def _count(self, request: Request) -> None:
        """Count the request for its client; raises `TooManyRequests`."""
        limit = request.route.limit if request.route else None
        client = None
        if limit is None and self.callers is not None:  # elsewhere nobody is a user yet
            client = self.callers.user_of(request)
        client = client or request.client_network
        headers, refusal = self._rates.take(client, policies_of(request.method, limit))
        request.response_headers += headers
        if refusal:
            raise refusal

    def _methods_at(self, path: str) -> list[str]:
        if path == "*":
            return _METHODS
        methods = {m.upper() for m in self._routing.allowed_methods(decoded(path))}
        if not methods:
            raise NoSuchRoute()
        return sorted(methods | {"OPTIONS"})

    def _read(self, body: RequestBody, request: Request) -> bytes:
        """The body, before a worker is taken: a slow client holds nothing but its connection. What
        can be refused by the head is refused before anything is kept."""
        route = request.route
        if route.body is None:
            if body.is_pending:
                raise BadRequest("This route takes no body", code="body_not_expected")
            return b""
        if self.callers is not None and 401 in route.who.refusals:
            self.callers.authenticate(request)
        if not body.has_length:
            if route.needs_body:
                raise LengthRequired()
            return b""
        if (request.header("Content-Encoding") or "identity").lower() != "identity":
            request.response_headers.append(("Accept-Encoding", "identity"))
            raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding")
        try:
            with Timeout(self._limits["body_seconds"]):
                return body.read_all(self._limits["body_limit"])
        except (Timeout, TimeoutError):
            raise RequestTimeout() from None
        except OSError:
            raise BadRequest("The body ended before its announced end") from None


def _refused(fault: Fault, request: Request) -> tuple[Response, bytes]:
    response = refused(fault, request)
    return response, response.payload()
