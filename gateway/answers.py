"""Answers that several routes give."""

from typing import Any

from chassis.web import Response


def replayable(resource: dict[str, Any], status: int = 200, headers=()) -> Response:
    """The resource. A service that keeps idempotency keys says `replayed` of what it had made
    before; it becomes a header."""
    headers = dict(headers)
    if resource.pop("replayed", False):
        headers["Idempotent-Replayed"] = "true"
    return Response(resource, status, headers)


def created(collection: str, resource: dict[str, Any]) -> Response:
    """201 with the place of what was made, or had been by the same request."""
    return replayable(resource, 201, {"Location": f"{collection}/{resource['id']}"})
