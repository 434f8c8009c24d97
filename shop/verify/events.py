"""Outboxes and inboxes: is every event out, and has each handler applied it?"""

import datetime
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from chassis.database import Database
from chassis.events.handler import EventHandler
from shop.packages import DATABASE_PACKAGES, load_services
from shop.verify.books import Books
from shop.verify.violation import Violation

_UNSENT = "SELECT source, type, event_id FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 1000"
_FIRST = "SELECT min(handled_at) FROM inbox WHERE handler = :handler"

#: Handlers that are younger than their events: what had left before the first one that they applied
#: did not reach them.
_YOUNGER = ("inventory.on_order_paid",)


def recorded(books: Books) -> int:
    return sum(
        books.value(package, "SELECT count(*) FROM outbox")
        for package in _with_table(books, "outbox")
    )


def unsent(books: Books) -> Iterator[Violation]:
    """Events that never left."""
    for package in _with_table(books, "outbox"):
        for row in books.rows(package, _UNSENT):
            yield Violation(f"event {row.event_id}", f"{row.source}.{row.type} is not published")


class Unheard(NamedTuple):
    """An event that left, and a handler of it that has not applied it; `package` is the one in
    whose outbox it is, `event` its source and type."""

    package: str
    event_id: uuid.UUID
    sent_at: datetime.datetime
    event: tuple[str, str]
    handler: str


def unhandled(books: Books) -> Iterator[Violation]:
    """Events that left and that a handler has not applied. That none did so twice is the inbox's
    primary key; what an effect without the inbox would do shows in the other invariants."""
    firsts = {
        handler: books.value(package, _FIRST, handler=handler)
        for handler, package, _ in handlers()
        if handler in _YOUNGER
    }
    for one in unheard(books):
        if one.handler in firsts:
            first = firsts[one.handler]
            if first is None or one.sent_at < first:
                continue
        name = ".".join(one.event)
        yield Violation(f"event {one.event_id}", f"{name} is not applied by {one.handler}")


def unheard(books: Books) -> Iterator[Unheard]:
    """Each event that left, with each of its handlers that has not applied it."""
    told: dict[tuple[str, str], dict[uuid.UUID, tuple[str, datetime.datetime]]] = {}
    for package in _with_table(books, "outbox"):
        for row in books.rows(
            package, "SELECT source, type, event_id, sent_at FROM outbox WHERE sent_at IS NOT NULL"
        ):
            told.setdefault((row.source, row.type), {})[row.event_id] = package, row.sent_at
    for handler, package, events in handlers():
        applied = {
            row.event_id
            for row in books.rows(
                package, "SELECT event_id FROM inbox WHERE handler = :handler", handler=handler
            )
        }
        for event in events:
            sent = told.get(event, {})
            for event_id in sent.keys() - applied:
                publisher, sent_at = sent[event_id]
                yield Unheard(publisher, event_id, sent_at, event, handler)


def handlers() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Each handler as its inbox names it, the package of that, and the events that it is for."""
    for service in load_services():
        for method in dir(service):
            found = getattr(getattr(service, method), ENTRYPOINT_EXTENSIONS_ATTR, ())
            events = [
                (e.source_service, e.event_type) for e in found if isinstance(e, EventHandler)
            ]
            if events:
                (database,) = (v for v in vars(service).values() if isinstance(v, Database))
                yield f"{service.name}.{method}", database.package, events


def _with_table(books: Books, table: str) -> list[str]:
    return [
        package
        for package in DATABASE_PACKAGES
        if books.value(package, "SELECT to_regclass(:table)::text", table=table)
    ]
