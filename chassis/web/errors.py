"""HTTP's own faults: what is wrong with a request before any route has looked at it.

Fault (chassis.errors)
 ├── BadRequest            400  not HTTP/1.1, or not by its rules
 │    └── MalformedJson    400  not JSON, or not the kind of JSON that is expected
 ├── NoSuchRoute           404  nothing is at this path
 ├── MethodNotAllowed      405  something is, but not for this method
 ├── RequestTimeout        408  the client took too long to send
 ├── LengthRequired        411  a body is needed and none was announced
 ├── ContentTooLarge       413  the body is over the limit
 ├── UriTooLong            414  the request line is over the limit
 ├── UnsupportedMediaType  415  only JSON is read
 ├── HeadersTooLarge       431  the headers are over the limit
└── Overloaded            503  as many requests under way as can be served in time (an
`Unavailable`)
"""

from chassis.errors import Fault, NotFound, Unavailable


class BadRequest(Fault):
    """The request breaks HTTP's own rules; where it ends is uncertain, so the connection closes."""

    status = 400
    code = "bad_request"
    title = "Not a valid HTTP request"


class MalformedJson(Fault):
    """The body is not JSON, or not a JSON object."""

    status = 400
    code = "malformed_json"
    title = "The body is not a JSON object"


class NoSuchRoute(NotFound):
    """Nothing is at this path."""

    title = "Nothing is at this path"


class MethodNotAllowed(Fault):
    """The path exists for other methods: `MethodNotAllowed(allow=["GET", ...])`."""

    status = 405
    code = "method_not_allowed"
    title = "Not with this method"


class RequestTimeout(Fault):
    """The client took too long to send its request."""

    status = 408
    code = "request_timeout"
    title = "The request took too long to arrive"


class LengthRequired(Fault):
    """A body is needed, and neither Content-Length nor chunked transfer announced one."""

    status = 411
    code = "length_required"
    title = "Send a body with its Content-Length"


class ContentTooLarge(Fault):
    """The body is over the limit."""

    status = 413
    code = "content_too_large"
    title = "The body is too large"


class UriTooLong(Fault):
    """The request line is over the limit."""

    status = 414
    code = "uri_too_long"
    title = "The address is too long"


class UnsupportedMediaType(Fault):
    """Only `application/json` in UTF-8 is read, and not compressed."""

    status = 415
    code = "unsupported_media_type"
    title = "Send application/json"


class HeadersTooLarge(Fault):
    """One header, or all together, are over the limit."""

    status = 431
    code = "headers_too_large"
    title = "The headers are too large"


class Overloaded(Unavailable):
    """As many requests are under way as can be served in time."""

    code = "overloaded"
    title = "Too busy just now"
