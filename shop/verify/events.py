"""Outboxes and inboxes: is every event out, and has each handler applied it?"""

import uuid
from collections.abc import Iterator

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from chassis.database import Database
from chassis.events.handler import EventHandler
from shop.packages import DATABASE_PACKAGES, load_services
from shop.verify.books import Books
from shop.verify.violation import Violation

_UNSENT = "SELECT source, type, event_id FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT 1000"


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


def unhandled(books: Books) -> Iterator[Violation]:
    """Events that left and that a handler has not applied. That none did so twice is the inbox's
    primary key; what an effect without the inbox would do shows in the other invariants."""
    for _, event_id, event, handler in unheard(books):
        yield Violation(f"event {event_id}", f"{'.'.join(event)} is not applied by {handler}")


def unheard(books: Books) -> Iterator[tuple[str, uuid.UUID, tuple[str, str], str]]:
    """For each event that left and each of its handlers that has not applied it: the package in
    whose outbox it is, its id, its source and type, the handler."""
    told: dict[tuple[str, str], dict[uuid.UUID, str]] = {}
    for package in _with_table(books, "outbox"):
        for row in books.rows(
            package, "SELECT source, type, event_id FROM outbox WHERE sent_at IS NOT NULL"
        ):
            told.setdefault((row.source, row.type), {})[row.event_id] = package
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
                yield sent[event_id], event_id, event, handler


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
