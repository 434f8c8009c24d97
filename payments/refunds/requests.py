"""Refunds that orders has asked for are known by the id of its request
(`contracts.orders.events.RefundDue`); those of staff by their own."""

import uuid

_PREFIX = "request-"


def key_of(request_id: uuid.UUID) -> str:
    """The key under which the refund of a request is opened."""
    return f"{_PREFIX}{request_id}"


def request_of(key: str) -> uuid.UUID | None:
    """The request that a refund with `key` is for; None for one that nobody but staff wanted."""
    return uuid.UUID(key.removeprefix(_PREFIX)) if key.startswith(_PREFIX) else None
