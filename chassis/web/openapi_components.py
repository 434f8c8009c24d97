"""What all operations share: headers either way, and the form of problems."""

from typing import Any


def _text(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"} | schema}


#: Headers that every route reads. They have no bounds but those of all headers: what can't be used
#: is passed over.
SENT_HEADERS = (
    {"name": "X-Request-ID"}
    | _text(
        "Identifies the request in answers and logs: 8 to 128 letters, digits and ._:- characters. "
        "Without it, or with anything else, one is made.",
    ),
)

#: Of routes whose answers have a tag.
IF_NONE_MATCH = {"name": "If-None-Match"} | _text(
    "ETags that you have; the answer is 304 when the resource is still in one of these states."
)
IF_MATCH = {"name": "If-Match"} | _text(
    "The ETag that you have read; the answer is 412 when the resource was changed since.",
    maxLength=1000,
)

#: Of routes whose answers are cached.
CACHE_CONTROL = {"name": "Cache-Control"} | _text(
    "With `no-cache` the answer is as of now; without, it may be some seconds old."
)

#: Headers that we send.
HEADERS = {
    "X-Request-ID": _text("Identifies this request in the logs.", maxLength=128),
    "Access-Control-Allow-Origin": _text(
        "The origin of the calling page, if it is one that may read the answers.", maxLength=300
    ),
    "RateLimit": _text("What is left of each limit that applied.", maxLength=500),
    "RateLimit-Policy": _text("The limits that applied.", maxLength=500),
    "Location": _text("Where the new resource is, when it has a place.", format="uri-reference"),
    "Link": _text('The next page, as rel="next"; absent on the last.', maxLength=4096),
    "ETag": _text("Identifies this state of the resource.", maxLength=100),
    "Idempotent-Replayed": _text(
        "Sent when this is the answer to an earlier request with the same key.", const="true"
    ),
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86400},
    },
    "WWW-Authenticate": _text("How to authenticate: `Bearer`.", maxLength=100),
}

PROBLEM_SHAPE = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; some codes bring members of their own.",
    "required": [
        "code",
        "detail",
        "instance",
        "request_id",
        "status",
        "title",
        "trace_id",
        "type",
    ],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "The code as a URI."},
        "title": {"type": "string", "description": "The kind of problem, in words."},
        "status": {
            "type": "integer",
            "description": "The status of the answer.",
            "format": "int32",
            "minimum": 400,
            "maximum": 599,
        },
        "detail": {"type": "string", "description": "What is wrong in this case, for people."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "code": {
            "type": "string",
            "description": "The kind of problem, for programs; it never changes.",
            "pattern": "^[a-z0-9_]+$",
        },
        "request_id": {
            "type": "string",
            "description": "Identifies the request in the logs.",
            "maxLength": 128,
        },
        "trace_id": {
            "type": "string",
            "description": "The id of the W3C trace that the request belongs to.",
            "pattern": "^[0-9a-f]{32}$",
        },
        "errors": {
            "type": "object",
            "description": "On 422: what is wrong with each field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
