"""What travels between services: events, as a handler sees them, and the answers of calls."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What a call answers.
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened in service `source`, told by `payload`."""

    id: uuid.UUID
    source: str
    type: str
    occurred_at: datetime.datetime
    payload: Mapping[str, Any]
    request_id: str | None = None
    trace_id: str | None = None
    #: What it was caused by, to be handed on (`chassis.trace`).
    cause: Mapping[str, Any] = field(default_factory=dict)


class AlreadyHandled(Exception):
    """The inbox has this event: what it asked for was done by an earlier delivery."""
