"""OpenAPI 3.1 from the route table: what validates requests and answers is what is published.

`describe(routes, manual)` gives the document. Nothing in it is written a second time: shapes come
from the marshmallow schemas (`chassis.web.shapes`), words from docstrings, statuses from what a
route declares, error examples from the faults themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apispec import APISpec

from chassis import errors, fields
from chassis.web import errors as web_errors
from chassis.web.answers import JSON, PROBLEM, problem
from chassis.web.routes import Route
from chassis.web.samples import Samples
from chassis.web.shapes import Plugin

_FAULTS = {
    fault.status: fault
    for fault in (
        *errors.GENERIC.values(),
        web_errors.BadRequest,
        web_errors.RequestTimeout,
        web_errors.LengthRequired,
        web_errors.ContentTooLarge,
        web_errors.UriTooLong,
        web_errors.UnsupportedMediaType,
        web_errors.HeadersTooLarge,
    )
}
#: What any request may get.
_ALWAYS = {400, 414, 422, 431, 500, 503, 504}
#: What only those can get that send a body.
_WITH_BODY = {404, 408, 413, 415}
_ALWAYS_SENT = ("X-Request-ID", "Access-Control-Allow-Origin")
_REQUEST_ID = "3f2b9a52-6c1e-4d0b-9a57-0d7c1b6f3e11"


@dataclass(frozen=True)
class Manual:
    """What the routes of a service don't say themselves."""

    title: str
    version: str
    description: str
    #: Name and description of each group, in order.
    tags: Mapping[str, str]
    tag_of: Callable[[Route], str]
    #: Example values: of a field ("email"), of a field of one schema ("Login.email"), of a whole
    #: schema ("Login").
    samples: Mapping[str, Any] = field(default_factory=dict)


def describe(routes: Mapping[str, Route], manual: Manual) -> dict[str, Any]:
    """The OpenAPI document of the routes; `KeyError` names a field that lacks an example."""
    spec = APISpec(
        manual.title,
        manual.version,
        "3.1.0",
        plugins=[Plugin()],
        info={"description": manual.description, "contact": {"name": manual.title}},
        servers=[{"url": "/", "description": "This one", "x-internal": False}],
        tags=[{"name": name, "description": text} for name, text in manual.tags.items()],
        security=[],
    )
    spec.components.security_scheme(
        "bearer",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token; signed and checked as RFC8725 advises.",
        },
    )
    spec.components.schema("Problem", _PROBLEM)
    for name, header in _HEADERS.items():
        spec.components.header(name, header)
    for status in sorted(set().union(*map(statuses, routes.values()))):
        spec.components.response(_FAULTS[status].__name__, _refusal(_FAULTS[status]))
    for name, entry in routes.items():
        operation = _operation(name, entry, manual, spec)
        spec.path(entry.path, operations={entry.method.lower(): operation})
    document = spec.to_dict()
    _add_examples(document, manual)
    return document


def statuses(entry: Route) -> set[int]:
    """The statuses of the problems that a route may answer with."""
    found = _ALWAYS | set(entry.who.refusals) | set(entry.faults)
    if not entry.spare:
        found.add(429)
    if entry.path_schema:
        found.add(404)
    if entry.method != "GET":
        found.add(409)
    if entry.body:
        found |= _WITH_BODY
    if entry.needs_body:
        found.add(411)
    return found


def _operation(name: str, entry: Route, manual: Manual, spec: APISpec) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": [manual.tag_of(entry)],
        "summary": entry.summary.removesuffix("."),
        "description": " ".join([entry.summary, *entry.description.split()]),
        "parameters": _parameters(entry, spec),
        "responses": {str(entry.status): _success(entry)},
        "security": [{"bearer": []}] if 401 in entry.who.refusals else [],
    }
    for status in sorted(statuses(entry)):
        operation["responses"][str(status)] = _FAULTS[status].__name__
    if entry.body:
        operation["requestBody"] = {
            "required": entry.needs_body,
            "content": {JSON: {"schema": entry.body}},
        }
    return operation


def _parameters(entry: Route, spec: APISpec) -> list[dict[str, Any]]:
    converter = spec.plugins[0].converter
    found = []
    for schema, where in ((entry.path_schema, "path"), (entry.query, "query")):
        if schema:
            found += converter.schema2parameters(schema(), location=where)
    return [*found, *({"in": "header"} | header for header in _SENT_HEADERS)]


def _success(entry: Route) -> dict[str, Any]:
    names = [*_ALWAYS_SENT]
    if not entry.spare:
        names += ["RateLimit", "RateLimit-Policy"]
    if entry.status == 201:
        names.append("Location")
    if entry.query and issubclass(entry.query, fields.Page):
        names.append("Link")
    answer: dict[str, Any] = {
        "description": "Done" if entry.status == 204 else "What was asked for",
        "headers": {name: name for name in names},
    }
    if entry.status != 204:
        is_json = entry.media_type == JSON
        shape = entry.answer if is_json else {"type": "string"}
        answer["content"] = {entry.media_type: {"schema": shape}}
    return answer


def _refusal(fault: type[errors.Fault]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if fault.status == 422:
        data["errors"] = {"quantity": ["Must be greater than or equal to 1."]}
    answer = problem(fault(**data), "/api/orders", _REQUEST_ID)
    names = [*_ALWAYS_SENT, "RateLimit", "RateLimit-Policy"]
    names += [name for name in answer.headers if name in _HEADERS]
    return {
        "description": fault.title,
        "headers": {name: name for name in names},
        "content": {PROBLEM: {"schema": "Problem", "example": answer.body}},
    }


def _add_examples(document: dict[str, Any], manual: Manual) -> None:
    """An example for every body, and for every name in a path."""
    samples = Samples(document["components"]["schemas"], manual.samples)
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter.get("in") == "path":
                    parameter["example"] = samples.of(parameter["schema"], parameter["name"])
            places = [operation.get("requestBody", {})]
            places += [r for r in operation["responses"].values() if "content" in r]
            for place in places:
                content = place.get("content", {}).get(JSON)
                if content:
                    content["example"] = samples.of(content["schema"])


def tag_by_path(path: str) -> str:
    """The first name in a path below `/api`, else "platform"."""
    match = re.match(r"/api/(\w+)", path)
    return match[1] if match else "platform"


def _text(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"} | schema}


#: Headers that every route reads.
_SENT_HEADERS = (
    {"name": "X-Request-ID"}
    | _text(
        "Names the request in answers and logs; one is made when it is absent.",
        pattern="^[A-Za-z0-9._:-]{8,128}$",
        maxLength=128,
    ),
)

#: Headers that we send.
_HEADERS = {
    "X-Request-ID": _text("Names this request in our logs.", maxLength=128),
    "Access-Control-Allow-Origin": _text(
        "The page's origin, when it is one of those that may read our answers.", maxLength=300
    ),
    "RateLimit": _text("What is left of each limit that applied.", maxLength=500),
    "RateLimit-Policy": _text("The limits that applied.", maxLength=500),
    "Location": _text("Where the new resource is, when it has a place.", format="uri-reference"),
    "Link": _text('The next page, as rel="next"; absent on the last.', maxLength=4096),
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86400},
    },
    "WWW-Authenticate": _text("Bearer", maxLength=100),
}

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; some codes bring members of their own.",
    "required": ["code", "detail", "instance", "request_id", "status", "title", "type"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "request_id": {"type": "string", "maxLength": 128},
        "errors": {
            "type": "object",
            "description": "On 422: what is wrong with each field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
