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
    """Something that has happened in service `source`; `payload` says what."""

    id: uuid.UUID
    source: str
    type: str
    occurred_at: datetime.datetime
    payload: Mapping[str, Any]
    request_id: str | None = None
    trace_id: str | None = None
    #: The request and trace that it belongs to, to be handed on (`chassis.trace`).
    trace_context: Mapping[str, Any] = field(default_factory=dict)


class AlreadyHandled(Exception):
    """The inbox has this event: what it asked for was done by an earlier delivery."""
