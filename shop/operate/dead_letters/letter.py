"""A dead letter: a message that was parked, and what is known of how it came to that.

A service parks what it gives up, with headers that say from where, why and when
(`chassis.broker.confirmed_publisher`). What takes its process with it again and again is parked by
RabbitMQ, which leaves its own trace (`x-death`).
"""

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shop.operate.formatting import plain

_EVENT_QUEUE = re.compile(r"evt-(?P<source>[^-]+)-(?P<type>.+?)--(?P<handler>.+)")
#: Notes of earlier deliveries; without them the copy that is put back has all its attempts again.
_NOTES = re.compile(
    r"x-(attempts|parked-.*|death|first-death-.*|last-death-.*|delivery-count|acquired-count)|B?CC"
)
#: Headers of an event that may be told: ids and times.
_TOLD = ("occurred_at", "request_id", "traceparent")
#: Bytes of a payload that are shown.
_SHOWN = 20_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in the dead-letter queue `queue`; `origin` is the queue where it could not be
    handled, `deliveries` how often it has been handed out since it lies here."""

    queue: str
    id: str
    origin: str | None
    why: str
    parked_at: datetime.datetime | None
    occurred_at: datetime.datetime | None
    deliveries: int
    body: bytes
    properties: Any

    @classmethod
    def of(cls, queue: str, properties: Any, body: bytes) -> "Letter":
        """Whatever the message holds: what is not as it should be is left out."""
        headers = properties.headers or {}
        death = _death(headers)
        origin = _text(headers.get("x-parked-from")) or death.get("queue")
        deliveries = headers.get("x-delivery-count")
        return cls(
            queue=queue,
            id=_text(properties.message_id) or f"sha-{hashlib.sha256(body).hexdigest()[:16]}",
            origin=origin,
            why=_text(headers.get("x-parked-why")) or _reason(death),
            parked_at=_moment(headers.get("x-parked-at")) or _moment(death.get("time")),
            occurred_at=_moment(headers.get("nameko.occurred_at")),
            deliveries=deliveries if isinstance(deliveries, int) else 0,
            body=body,
            properties=properties,
        )

    @property
    def event(self) -> str | None:
        """The type of the event; None for what was no event, such as a call."""
        found = _EVENT_QUEUE.fullmatch(self.origin or "")
        return found["type"] if found else None

    @property
    def handler(self) -> str | None:
        """`service.method` that could not handle it."""
        found = _EVENT_QUEUE.fullmatch(self.origin or "")
        return found["handler"] if found else None

    def age(self, now: datetime.datetime) -> datetime.timedelta | None:
        """Since it was parked; by the event's own time where that was not written down."""
        since = self.parked_at or self.occurred_at
        return None if since is None else now - since

    def headers(self) -> dict[str, Any]:
        """Its headers, as they were when it was first published."""
        headers = self.properties.headers or {}
        return {
            name: value
            for name, value in headers.items()
            if isinstance(name, str) and not _NOTES.fullmatch(name)
        }

    def told(self, now: datetime.datetime) -> dict[str, Any]:
        """What a list says of it."""
        age = self.age(now)
        return {
            "id": plain(self.id),
            "queue": self.queue,
            "origin": None if self.origin is None else plain(self.origin),
            "event": self.event,
            "handler": self.handler,
            "why": plain(self.why),
            "parked_at": self.parked_at and self.parked_at.isoformat(),
            "occurred_at": self.occurred_at and self.occurred_at.isoformat(),
            "age_seconds": None if age is None else int(age.total_seconds()),
        }

    def told_in_full(self, now: datetime.datetime) -> dict[str, Any]:
        """Its payload too, if it is an event: events hold nothing personal, while a call that was
        parked may hold a password."""
        headers = self.headers()
        context = {name: _text(headers.get(f"nameko.{name}")) for name in _TOLD}
        told = self.told(now) | context | {"bytes": len(self.body), "payload": None}
        if self.event is not None:
            told["payload"] = _payload(self.body)
        return told


def _payload(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return plain(body.decode("utf-8", "replace"), _SHOWN)


def _death(headers: Mapping[Any, Any]) -> dict[str, Any]:
    """What RabbitMQ wrote when it parked the message. Its way over the delay queues for retries
    is in the same list, as messages that have expired."""
    deaths = headers.get("x-death")
    for death in deaths if isinstance(deaths, list) else ():
        if isinstance(death, dict) and death.get("reason") != "expired":
            return {
                "queue": _text(death.get("queue")),
                "reason": _text(death.get("reason")),
                "time": death.get("time"),
            }
    return {}


def _reason(death: Mapping[str, Any]) -> str:
    if death.get("reason") == "delivery_limit":
        return "its handler ended the process, each time"
    return death.get("reason") or "not known"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> datetime.datetime | None:
    """Of ISO 8601 text or an AMQP timestamp, which has no zone and means UTC."""
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime.datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
