"""What all operations share: headers either way, and the form of problems."""

from typing import Any


def _text(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"} | schema}


#: Headers that every route reads. They have no bounds but those of all headers: what can't be used
#: is passed over.
SENT_HEADERS = (
    {"name": "X-Request-ID"}
    | _text(
        "Names the request in answers and logs; another name is made unless it is of 8 to 128 "
        "letters, digits and ._:- characters.",
    ),
)

#: Of routes whose answers have a tag.
IF_NONE_MATCH = {"name": "If-None-Match"} | _text(
    "Tags that you have the resource for; 304 when it is still one of them."
)
IF_MATCH = {"name": "If-Match"} | _text(
    "The tag that you have read; 412 when somebody has written since.", maxLength=1000
)

#: Of routes that remember their answers.
CACHE_CONTROL = {"name": "Cache-Control"} | _text(
    "With no-cache the answer is made now; without, it may be some seconds old."
)

#: Headers that we send.
HEADERS = {
    "X-Request-ID": _text("Names this request in our logs.", maxLength=128),
    "Access-Control-Allow-Origin": _text(
        "The page's origin, when it is one of those that may read our answers.", maxLength=300
    ),
    "RateLimit": _text("What is left of each limit that applied.", maxLength=500),
    "RateLimit-Policy": _text("The limits that applied.", maxLength=500),
    "Location": _text("Where the new resource is, when it has a place.", format="uri-reference"),
    "Link": _text('The next page, as rel="next"; absent on the last.', maxLength=4096),
    "ETag": _text("Names this state of the resource.", maxLength=100),
    "Idempotent-Replayed": _text("On the answer to a repeated key.", const="true"),
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86400},
    },
    "WWW-Authenticate": _text("Bearer", maxLength=100),
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
        "title": {"type": "string", "description": "What kind of problem it is."},
        "status": {
            "type": "integer",
            "description": "The status of the answer.",
            "format": "int32",
            "minimum": 400,
            "maximum": 599,
        },
        "detail": {"type": "string", "description": "What is wrong here, for people."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "code": {
            "type": "string",
            "description": "What is wrong here, for programs.",
            "pattern": "^[a-z0-9_]+$",
        },
        "request_id": {
            "type": "string",
            "description": "Names the request in our logs.",
            "maxLength": 128,
        },
        "trace_id": {
            "type": "string",
            "description": "Of the W3C trace that the request belongs to.",
            "pattern": "^[0-9a-f]{32}$",
        },
        "errors": {
            "type": "object",
            "description": "On 422: what is wrong with each field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
