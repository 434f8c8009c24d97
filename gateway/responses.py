"""Answers that several routes give."""

from chassis.messages import Json
from chassis.web import Response


def replayable(resource: Json, status: int = 200, location: str | None = None) -> Response:
    """The resource. A service that keeps idempotency keys says `replayed` of what it had made
    before; it becomes a header."""
    headers = {"Location": location} if location else {}
    if resource.pop("replayed", False):
        headers["Idempotent-Replayed"] = "true"
    return Response(resource, status, headers)


def created(collection: str, resource: Json) -> Response:
    """201 with the place of what was made, or had been by the same request."""
    return replayable(resource, 201, f"{collection}/{resource['id']}")
