"""OpenAPI 3.1 from the route table: what validates requests and answers is what is published.

`describe(routes, manual)` gives the document. Nothing in it is written a second time: shapes come
from the marshmallow schemas (`chassis.web.json_schema`), words from docstrings, statuses from what
a route declares, error examples from the faults themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apispec import APISpec
from marshmallow import Schema, validate

from chassis import errors, fields
from chassis.web import errors as web_errors
from chassis.web.examples import Examples
from chassis.web.json_schema import Plugin
from chassis.web.openapi_components import (
    CACHE_CONTROL,
    HEADERS,
    IF_MATCH,
    IF_NONE_MATCH,
    PROBLEM_SHAPE,
    SENT_HEADERS,
)
from chassis.web.responses import JSON, PROBLEM, problem
from chassis.web.routes import Route

_OF_HTTP: tuple[type[errors.Fault], ...] = (
    web_errors.BadRequest,
    web_errors.RequestTimeout,
    web_errors.LengthRequired,
    web_errors.ContentTooLarge,
    web_errors.UriTooLong,
    web_errors.UnsupportedMediaType,
    web_errors.HeadersTooLarge,
)
_FAULTS = {fault.status: fault for fault in (*errors.GENERIC.values(), *_OF_HTTP)}
#: What any request may get.
_ALWAYS = {400, 408, 414, 422, 431, 500, 503, 504}
#: What only those can get that send a body.
_WITH_BODY = {413, 415}
#: Problems that any request may meet, described together.
FOLDED = {400, 408, 411, 413, 414, 415, 431, 503, 504}
#: Methods that look at `If-Match`.
_CONDITIONAL = {"PUT", "PATCH"}
#: What is said of answers without a body.
_DONE = {202: "Accepted; it is done in the background", 204: "Done; the answer has no body"}
_ALWAYS_SENT = ("X-Request-ID", "Access-Control-Allow-Origin")
_REQUEST_ID = "3f2b9a52-6c1e-4d0b-9a57-0d7c1b6f3e11"
_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass(frozen=True)
class Manual:
    """What the routes of a service don't say themselves."""

    title: str
    version: str
    description: str
    #: Name and description of each group, in order.
    tags: Mapping[str, str]
    tag_of: Callable[[Route], str]
    #: A sentence about who may call a route; empty when anybody may.
    audience_of: Callable[[Route], str] = lambda route: ""
    #: Example values: of a field ("email"), of a field of one schema ("Login.email"), of a whole
    #: schema ("Login").
    samples: Mapping[str, Any] = field(default_factory=dict)
    #: A sentence for each field ("email", "Login.email") and parameter ("query.limit", "limit").
    fields: Mapping[str, str] = field(default_factory=dict)
    #: What is answered, by the name of the answer's schema.
    answers: Mapping[str, str] = field(default_factory=dict)


def describe(routes: Mapping[str, Route], manual: Manual) -> dict[str, Any]:
    """The OpenAPI document of the routes; `KeyError` names a field that lacks an example or a
    description."""
    plugin = Plugin()
    spec = APISpec(
        manual.title,
        manual.version,
        "3.1.0",
        plugins=[plugin],
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
            "description": "An access token: `access_token` of the answer to `log_in`. RFC8725.",
        },
    )
    spec.components.schema("Problem", PROBLEM_SHAPE)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    any_refusal = {"description": "Refused, or not possible now; `code` says why"}
    spec.components.response("Problem", _refusal(errors.Unavailable) | any_refusal)
    for status in sorted(set().union(*map(statuses, routes.values())) - FOLDED):
        spec.components.response(_FAULTS[status].__name__, _refusal(_FAULTS[status]))
    for name, entry in routes.items():
        operation = _operation(name, entry, manual, plugin)
        spec.path(entry.path, operations={entry.method.lower(): operation})
    document = spec.to_dict()
    _describe_fields(document, manual)
    _add_examples(document, manual)
    return document


def statuses(entry: Route) -> set[int]:
    """The statuses of the problems that a route may answer with: these and no others."""
    found = _ALWAYS | {429} | set(entry.who.refusals) | set(entry.faults)
    if any(map(_is_open, _fields_of(entry.path_schema))):
        found.add(404)
    if entry.body:
        found |= _WITH_BODY
    if entry.needs_body:
        found.add(411)
    if entry.etag and entry.method in _CONDITIONAL:
        found.add(412)
    return found


def _operation(name: str, entry: Route, manual: Manual, plugin: Plugin) -> dict[str, Any]:
    words = (entry.summary, *entry.description.split(), manual.audience_of(entry))
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": [manual.tag_of(entry)],
        "summary": entry.summary.removesuffix("."),
        "description": " ".join(filter(None, words)),
        "parameters": _parameters(entry, plugin),
        "responses": {str(entry.status): _success(entry, manual)},
        "security": [{"bearer": []}] if 401 in entry.who.refusals else [],
    }
    if entry.etag and entry.method == "GET":
        names = (*_ALWAYS_SENT, "ETag", "RateLimit", "RateLimit-Policy")
        operation["responses"]["304"] = {
            "description": "Not changed: the client has this state already",
            "headers": {name: name for name in names},
        }
    for status in sorted(statuses(entry)):
        operation["responses"] |= _folded(status)
    if entry.body:
        operation["requestBody"] = {
            "required": entry.needs_body,
            "content": {JSON: {"schema": entry.body}},
        }
    return operation


def _folded(status: int) -> dict[str, str]:
    """The response that a problem is under: its own where callers do something about it, one for
    all others of its class, which would fill pages without saying anything."""
    if status in FOLDED:
        return {f"{status // 100}XX": "Problem"}
    return {str(status): _FAULTS[status].__name__}


def _parameters(entry: Route, plugin: Plugin) -> list[dict[str, Any]]:
    found = []
    for schema, where in (
        (entry.path_schema, "path"),
        (entry.query, "query"),
        (entry.headers, "header"),
    ):
        if schema:
            found += plugin.converter.schema2parameters(schema(), location=where)
    headers = [*SENT_HEADERS]
    if entry.etag and entry.method != "POST":
        headers.append(IF_NONE_MATCH if entry.method == "GET" else IF_MATCH)
    if entry.cache_tags:
        headers.append(CACHE_CONTROL)
    return [*found, *({"in": "header"} | header for header in headers)]


def _success(entry: Route, manual: Manual) -> dict[str, Any]:
    names = [*_ALWAYS_SENT, "RateLimit", "RateLimit-Policy"]
    if entry.status == 201:
        names.append("Location")
    if entry.query and issubclass(entry.query, fields.Page):
        names.append("Link")
    if entry.etag:
        names.append("ETag")
    if any(f.data_key == "Idempotency-Key" for f in _fields_of(entry.headers)):
        names.append("Idempotent-Replayed")
    answer: dict[str, Any] = {
        "description": _DONE.get(entry.status) or _answered(entry, manual),
        "headers": {name: name for name in names},
    }
    is_json = entry.media_type == JSON
    if entry.answer or not is_json:
        shape = entry.answer if is_json else {"type": "string"}
        answer["content"] = {entry.media_type: {"schema": shape}}
    return answer


def _answered(entry: Route, manual: Manual) -> str:
    """What a route answers with, as a phrase."""
    if entry.answer is None:
        return entry.summary.removesuffix(".")
    return manual.answers[entry.answer.__name__]


def _fields_of(schema: type[Schema] | None) -> Iterable[Any]:
    return schema().fields.values() if schema else ()


def _is_open(field: Any) -> bool:
    """Whether a name in a path may name what is not there: not when all are known."""
    return not any(isinstance(known, validate.OneOf) for known in field.validators)


def _refusal(fault: type[errors.Fault]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if fault.status == 422:
        data["errors"] = {"quantity": ["Must be greater than or equal to 1."]}
    answer = problem(fault(**data), "/api/orders", _REQUEST_ID, _TRACE_ID)
    names = [*_ALWAYS_SENT, "RateLimit", "RateLimit-Policy"]
    names += [name for name in answer.headers if name in HEADERS]
    return {
        "description": fault.title,
        "headers": {name: name for name in names},
        "content": {PROBLEM: {"schema": "Problem", "example": answer.body}},
    }


def _describe_fields(document: dict[str, Any], manual: Manual) -> None:
    """A sentence for each field and parameter that has none of its own."""

    def sentence(place: str, name: str) -> str:
        for key in (f"{place}.{name}", name):
            if key in manual.fields:
                return manual.fields[key]
        raise KeyError(f"no description for {place}.{name}")

    for owner, schema in document["components"]["schemas"].items():
        for name, shape in schema.get("properties", {}).items():
            if "description" not in shape:
                shape["description"] = sentence(owner, name)
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if "description" not in parameter:
                    parameter["description"] = sentence(parameter["in"], parameter["name"])


def _add_examples(document: dict[str, Any], manual: Manual) -> None:
    """An example for every body, and for every name in a path."""
    samples = Examples(document["components"]["schemas"], manual.samples)
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
