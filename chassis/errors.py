"""Errors that mean the same on both ends of a call.

    Fault
     ├── Malformed           400  what was sent can't be read, or is not what it claims to be
     ├── Invalid             422  what was asked has the wrong shape; `errors` names the fields
     ├── Unauthenticated     401  no token, or one that does not hold
     ├── Forbidden           403  known, but not allowed
     ├── NotFound            404  not there, or not yours: the two look the same
     ├── Conflict            409  not in this state; look again, then decide
     ├── PreconditionFailed  412  changed since you looked
     ├── TooManyRequests     429  wait `retry_after` seconds
     ├── Internal            500  our mistake; the log has it
     ├── ProviderFault       502  someone we depend on outside answered badly
     ├── Unavailable         503  someone we depend on is away; try again in `retry_after` seconds
     └── DeadlineExceeded    504  the time the caller gave is over; the outcome is unknown

A service derives its own and gives each a `code`, which is what travels (see `to_wire`):

    class OutOfStock(Conflict):
        code = "out_of_stock"

The class carries the HTTP status, as werkzeug's exceptions do, so that no table can forget one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

#: Members that every problem document has (RFC 9457 and ours): no fault's own data may bear their
#: names. `errors` is for those that are `Invalid`.
STANDARD_MEMBERS = frozenset(
    {"type", "title", "status", "detail", "instance", "code", "errors", "request_id", "trace_id"}
)
#: Longest text, in characters, for a caller that has no `from_wire`.
_LONGEST = 2000


class Fault(Exception):
    """Base of every error that may cross a service's border.

    `detail` is a sentence for the one who called; it never holds internals. `data` is
    JSON-able and travels with the fault: `OutOfStock(lines=[...]).data["lines"]`. The caller over
    HTTP gets it beside the standard members of a problem document, so it has none of their names:
    TypeError otherwise.
    """

    status = 500
    code = "internal"
    title = "Internal error"
    #: Those of the standard members that this kind of fault may have in its data.
    members: frozenset[str] = frozenset()
    #: Whether the log has it already (`chassis.outages`).
    is_logged = False

    def __init__(self, detail: str | None = None, *, code: str | None = None, **data: Any):
        if taken := STANDARD_MEMBERS & data.keys() - self.members:
            raise TypeError(f"{', '.join(sorted(taken))}: a standard member of problem documents")
        self.detail = detail or self.title
        if code is not None:
            self.code = code
        self.data = data
        super().__init__(self.detail)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Invalid(Fault):
    """What was asked has the wrong shape: `Invalid(errors={"quantity": ["Too many."]})`."""

    status = 422
    code = "invalid"
    title = "Some fields are not valid"
    members = frozenset({"errors"})

    @property
    def errors(self) -> dict[str, Any]:
        return self.data.get("errors", {})


class Malformed(Fault):
    """What was sent can't be read, or is not what it claims to be."""

    status = 400
    code = "malformed"
    title = "This can't be read"


class Unauthenticated(Fault):
    """No token, or one that does not hold."""

    status = 401
    code = "unauthenticated"
    title = "Sign in first"


class Forbidden(Fault):
    """Known, but the role does not allow it."""

    status = 403
    code = "forbidden"
    title = "Your role does not allow this"


class NotFound(Fault):
    """Not there, or someone else's."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(Fault):
    """Well-formed, but not possible in the present state."""

    status = 409
    code = "conflict"
    title = "Not possible in the present state"


class AlreadyExists(Conflict):
    """A value that can be there once is taken; `data["field"]` says which."""

    code = "already_exists"
    title = "There is one with this value already"


class PreconditionFailed(Fault):
    """The caller's version is stale."""

    status = 412
    code = "precondition_failed"
    title = "Changed since you looked"


class TooManyRequests(Fault):
    """Over a limit; `retry_after` in seconds."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    @property
    def retry_after(self) -> int:
        return self.data.get("retry_after", 1)


class Internal(Fault):
    """Our own mistake."""

    status = 500
    code = "internal"
    title = "Internal error"


class ProviderFault(Fault):
    """Someone outside, whom we depend on, answered badly."""

    status = 502
    code = "provider_failed"
    title = "A provider failed"


class Unavailable(Fault):
    """A service, the broker or a database is away; `retry_after` in seconds."""

    status = 503
    code = "unavailable"
    title = "Not available just now"

    @property
    def retry_after(self) -> int:
        return self.data.get("retry_after", 1)


class ServiceUnavailable(Unavailable):
    """No instance of the called service is there. Nothing was done, unless the last one died with
    the call in hand: with a key, trying again is safe either way."""

    code = "service_unavailable"
    title = "A service is away"


class DeadlineExceeded(Fault):
    """The caller's time is over. The work may or may not have been done: ask again by key."""

    status = 504
    code = "deadline_exceeded"
    title = "The time for this call is over"


class Interrupted(DeadlineExceeded):
    """The instance that had the call is gone, perhaps after doing it."""

    code = "interrupted"
    title = "Interrupted: look whether it was done before you send it again, or send it with a key"


GENERIC: dict[int, type[Fault]] = {
    cls.status: cls
    for cls in (
        Malformed,
        Invalid,
        Unauthenticated,
        Forbidden,
        NotFound,
        Conflict,
        PreconditionFailed,
        TooManyRequests,
        Internal,
        ProviderFault,
        Unavailable,
        DeadlineExceeded,
    )
}


def to_wire(fault: Fault) -> dict[str, Any]:
    """The fault as the `error` of a Nameko reply.

    The first four keys are what a stock Nameko caller reads (it raises `RemoteError` with the
    `value`), so these tell all there is to know; the rest is what `from_wire` reads.
    """
    cls, told = type(fault), _in_words(fault)
    return {
        "exc_type": cls.__name__,
        "exc_path": f"{cls.__module__}.{cls.__name__}",
        "exc_args": [told],
        "value": f"{fault.code}: {told}",
        "status": fault.status,
        "title": fault.title,
        "code": fault.code,
        "detail": fault.detail,
        "data": fault.data,
    }


def from_wire(error: dict[str, Any], expected: Iterable[type[Fault]] = ()) -> Fault:
    """The fault that `error` describes: the class among `expected` with its code, else the
    generic class of its status."""
    code, status = str(error["code"]), error.get("status", Internal.status)
    cls = next((e for e in expected if e.code == code), None) or GENERIC.get(status, Internal)
    data = error.get("data")
    sent = data.items() if isinstance(data, dict) else ()
    known = {name: value for name, value in sent if name not in STANDARD_MEMBERS - cls.members}
    fault = cls(error.get("detail"), code=code, **known)
    fault.title = str(error.get("title") or cls.title)
    return fault


def flatten(errors: Any, prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Marshmallow's nested messages as `("items.0.quantity", ["message", ...])`."""
    if isinstance(errors, Mapping):
        for key, value in errors.items():
            yield from flatten(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(errors, list | tuple):
        yield prefix, [str(message) for message in errors]
    else:
        yield prefix, [str(errors)]


def _in_words(fault: Fault) -> str:
    """The detail, what is wrong with each field, and the other data."""
    errors = flatten(fault.data["errors"]) if fault.data.get("errors") else ()
    parts = [fault.detail, *(f"{field}: {' '.join(messages)}" for field, messages in errors)]
    if rest := {name: value for name, value in fault.data.items() if name != "errors"}:
        parts.append(orjson.dumps(rest, default=str, option=orjson.OPT_NON_STR_KEYS).decode())
    told = "; ".join(parts)
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
