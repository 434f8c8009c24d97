"""Routes: what the service answers over HTTP, each declared in one place.

    class OrderRoutes:
        @route("POST", "/api/orders", who=USER, body=PlaceOrder, status=201, answer=Order)
        def place_order(self, request, body):
            '''Place an order.'''
            ...

The same declaration checks who calls, validates path, query and body, and describes the route in
the route table, together with the method's docstring. A method gets the request, one keyword
argument for each name in its path, and `query` and `body` where those have a schema; it returns
something JSON-able or an `Response`.
"""

from __future__ import annotations

import functools
import inspect
import re
import urllib.parse
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from logging import getLogger
from typing import Any, Protocol

from eventlet import Timeout
from eventlet.event import Event
from marshmallow import Schema
from nameko.exceptions import ConfigurationError, ContainerBeingKilled
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, register_entrypoint
from nameko.web.handlers import HttpRequestHandler
from werkzeug.wrappers import Response as WerkzeugResponse

from chassis import fields
from chassis.entrypoints import Exceptions, Measured
from chassis.errors import DeadlineExceeded, Fault, Internal, Unavailable
from chassis.validation import load
from chassis.web.etags import tag, unless_known
from chassis.web.request import Request, refused
from chassis.web.response_cache import EncodedResponse, ResponseCache
from chassis.web.responses import JSON, Response
from chassis.web.server import Server

log = getLogger(__name__)

#: Of a service: called with it, the request and keyword arguments.
Method = Callable[..., Any]

_PARAMETER = re.compile(r"{(\w+)}")
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
#: A worker that is still at it so long after the request's budget has lost its listener.
_GRACE_SECONDS = 1


class Audience(Protocol):
    """Who may call a route; `refusals` are the statuses for whom it does not let in."""

    refusals: tuple[int, ...]

    def admit(self, service: Any, request: Request) -> None:
        """Let the request pass (and note its actor), or raise a `Fault`."""


class Route(Measured, HttpRequestHandler):
    """The Nameko entrypoint behind `@route`, and a row of the route table.

    `path`, `query`, `headers`, `body` and `answer` are marshmallow schema classes; headers, each by
    its `data_key`, are only checked. With a `media_type` other than JSON, `answer` describes each
    part. `limit` names a rate limit, by address, beside those of the method (`chassis.web.limits`).
    `faults` are statuses of problems that don't follow from the rest (`chassis.web.openapi`).

    - `probe`: asked by load balancers and the like; an answer is given again for a second
      (`chassis.web.probes`).
    - `docs`: describes the API, and is public with the setting `web.docs` only.
    - `etag`: answers with a single resource and its `ETag` (`chassis.web.etags`).
    - `cache_tags`: the answers are cached (`chassis.web.response_cache`). It is called with the
      body of an answer and the method's arguments, and returns the tags by which that answer is
      dropped from the cache. For routes that everybody may call, whose answers depend on path and
      query alone.

    `expected_exceptions` are Nameko's.
    """

    kind = "http"
    server = Server()
    response_cache = ResponseCache()

    def __init__(
        self,
        method: str,
        url: str,
        *,
        who: Audience,
        doc: str | None,
        path: type[Schema] | None = None,
        query: type[Schema] | None = None,
        headers: type[Schema] | None = None,
        body: type[Schema] | None = None,
        answer: type[Schema] | None = None,
        status: int = 200,
        probe: bool = False,
        docs: bool = False,
        limit: str | None = None,
        media_type: str = JSON,
        faults: tuple[int, ...] = (),
        etag: bool = False,
        cache_tags: Callable[..., Iterable[Hashable]] | None = None,
        expected_exceptions: Exceptions = (),
    ):
        # Bodies and headers have passwords and tokens in them.
        super().__init__(
            method, url, expected_exceptions=expected_exceptions, sensitive_arguments="request"
        )
        self.path = url
        self.who = who
        self.summary, _, self.description = (doc or "").partition("\n\n")
        self.body = body
        self.query = query
        self.answer = answer
        self.status = status
        self.probe = probe
        self.docs = docs
        self.limit = limit
        self.media_type = media_type
        self.faults = faults
        self.etag = etag
        self.cache_tags = cache_tags
        self.path_schema = path
        self._path_loader = (path or fields.Request)()
        self._query_loader = (query or fields.Request)()
        self._filters = {
            field.data_key or name
            for name, field in self._query_loader.load_fields.items()
            if name not in fields.Page().load_fields
        }
        self.headers = headers
        self._header_loader = (headers or fields.Request)()
        self._body_loader = body() if body else None
        self.needs_body = self._body_loader is not None and any(
            field.required for field in self._body_loader.load_fields.values()
        )
        self._check()

    def _check(self) -> None:
        name = f"{self.method} {self.path}"
        if self.method not in _METHODS:
            raise ConfigurationError(f"{name}: no such method")
        if not callable(getattr(self.who, "admit", None)):
            raise ConfigurationError(f"{name}: nobody said who may call it")
        if not self.summary:
            raise ConfigurationError(f"{name}: its method has no docstring to describe it")
        if set(_PARAMETER.findall(self.path)) != set(self._path_loader.load_fields):
            raise ConfigurationError(f"{name}: its path and its path schema name other things")
        if self.cache_tags and (self.who.refusals or self.method != "GET"):
            raise ConfigurationError(f"{name}: only a GET for everybody can be cached")
        if self.cache_tags and (self.headers or self.body):
            raise ConfigurationError(f"{name}: cached by path and query, it can't take more")

    def stop(self) -> None:
        self.server.drain()
        super().stop()

    def handle_request(self, request: Request) -> Response:
        """Answer the request, within its budget."""
        if self.cache_tags:
            timeout = self.server.limits["request_seconds"] + _GRACE_SECONDS
            response = self.response_cache.answer(self, request, timeout)
        else:
            response = self.run(request)
        return unless_known(request, response) if self.etag else response

    def run(self, request: Request) -> Response:
        """Run the route's method in a worker."""
        budget = self.server.limits["request_seconds"]
        done = Event()
        try:
            self.container.spawn_worker(
                self,
                (request,),
                {},
                context_data=request.context_data(budget),
                handle_result=partial(self._finish, done, request),
            )
        except ContainerBeingKilled:
            raise Unavailable() from None
        with Timeout(budget + _GRACE_SECONDS, DeadlineExceeded()):
            return done.wait()

    def _finish(
        self, done: Event, request: Request, worker_ctx: Any, result: Any, exc_info: Any
    ) -> tuple[Any, Any]:
        if exc_info:  # Nameko logs the traceback
            log.error("request %s failed: %s", request.request_id, exc_info[0].__name__)
            done.send(refused(Internal(), request))
        else:
            done.send(result)
        return result, exc_info

    def response_from_result(self, result: Any) -> WerkzeugResponse:
        """The answer as tools for Nameko's own entrypoints read it: status, headers, body."""
        response = self._answer(result)
        return WerkzeugResponse(
            response.payload(), response.status, response.headers, content_type=response.media_type
        )

    def response_from_exception(self, exc: BaseException) -> WerkzeugResponse:
        """What is answered when the method fails."""
        return WerkzeugResponse(status=exc.status if isinstance(exc, Fault) else Internal.status)

    def serve(self, function: Method, service: Any, request: Request) -> Response:
        """What the worker does: let in, validate, run, shape the answer."""
        self.who.admit(service, request)
        arguments = self.arguments(request)
        result = function(service, request, **arguments)
        response = self._answer(result)
        if self.query and issubclass(self.query, fields.Page):
            self._link_next(arguments, response)
        tags = None
        if self.cache_tags and response.status == 200:
            tags = self.cache_tags(response.body, **arguments)
        if self.etag:
            tag(response, is_public=not self.who.refusals)
        return response if tags is None else EncodedResponse(response, tags)

    def _link_next(self, arguments: dict[str, Any], response: Response) -> None:
        """The next page as a `Link`, relative to us: whatever name we are reached by. Made of what
        path and query mean, not of how they are written: the answer may be given to others."""
        following = response.body.get("next") if isinstance(response.body, dict) else None
        if following:
            path = _written(self._path_loader, arguments)
            query = _written(self._query_loader, arguments["query"]) | {"cursor": following}
            target = _PARAMETER.sub(lambda name: urllib.parse.quote(path[name[1]], ""), self.path)
            response.headers["Link"] = f'<{target}?{urllib.parse.urlencode(query)}>; rel="next"'

    def _answer(self, result: Any) -> Response:
        return result if isinstance(result, Response) else Response(result, self.status)

    def arguments(self, request: Request) -> dict[str, Any]:
        """What the method gets besides the request; raises `Invalid`."""
        arguments = load(self._path_loader, request.path_values)
        query = load(self._query_loader, self._filled(request.query()))
        if self.query:
            arguments["query"] = query
        if self.headers:
            names = [field.data_key for field in self._header_loader.fields.values()]
            sent = {name: request.header(name) for name in names if name}
            load(self._header_loader, {n: value for n, value in sent.items() if value is not None})
        if self._body_loader:
            arguments["body"] = load(self._body_loader, request.json())
        return arguments

    def _filled(self, query: dict[str, str]) -> dict[str, str]:
        """The query without its empty filters: a form sends those that nobody filled in."""
        return {n: value for n, value in query.items() if n not in self._filters or value.strip()}


def route(method: str, path_template: str, **declaration: Any) -> Callable[[Method], Method]:
    """Declare the method below as a route; the arguments are `Route`'s."""

    def register(function: Method) -> Method:
        doc = inspect.getdoc(function)
        entry = Route(method, path_template, doc=doc, **declaration)

        @functools.wraps(function)
        def serve(self: Any, request: Request, **arguments: Any) -> Any:
            if getattr(request, "route", None) is None:  # called by hand, not by the server
                return function(self, request, **arguments)
            try:
                return entry.serve(function, self, request)
            except Fault as fault:  # an answer, not a mishap: no traceback for it
                return refused(fault, request)

        register_entrypoint(serve, entry)
        return serve

    return register


def route_table(service_cls: type) -> dict[str, Route]:
    """All routes of a service by the name of their method, in the order of their paths."""
    found = {
        name: entrypoint
        for name, method in inspect.getmembers(service_cls, inspect.isfunction)
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
        if isinstance(entrypoint, Route)
    }
    return dict(sorted(found.items(), key=lambda row: (row[1].path, row[1].method)))


def _written(schema: Schema, values: dict[str, Any]) -> dict[str, str]:
    """Loaded values as a path or query has them, in the schema's order; without defaults."""
    written = {}
    for name, field in schema.load_fields.items():
        value = values.get(field.attribute or name)
        if value is None or value == field.load_default:
            continue
        text = field.serialize("value", {"value": value})
        key = field.data_key or name
        written[key] = str(text).lower() if isinstance(text, bool) else str(text)
    return written
