"""Answers that several routes give."""

from typing import Any

from chassis.web import Answer


def created(collection: str, resource: dict[str, Any]) -> Answer:
    """201 with the place of what was made. A service that keeps idempotency keys says `replayed`
    of what it had made before; it becomes a header."""
    headers = {"Location": f"{collection}/{resource['id']}"}
    if resource.pop("replayed", False):
        headers["Idempotent-Replayed"] = "true"
    return Answer(resource, 201, headers)
