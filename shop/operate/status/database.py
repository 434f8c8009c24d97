"""PostgreSQL, and what its rows say of work that stands still."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from chassis.clock import utcnow
from products.metrics import RESERVATIONS
from shop.operate import checkouts, outbox
from shop.operate.formatting import count, span
from shop.operate.status.finding import Finding
from shop.packages import DATABASE_PACKAGES, ROOT
from shop.verify import Books

#: Seconds that a reservation may outlive its time: a timer frees them four times a minute.
_LATE = 60

_REVISION = "SELECT version_num FROM alembic_version"


def look(config: Mapping[str, Any]) -> Iterator[Finding]:
    """A database that is away is a finding; what is in it is then not told."""
    with Books(config) as books:
        found = {package: database(books, package) for package in DATABASE_PACKAGES}
        yield from found.values()
        well = [package for package, finding in found.items() if finding.is_well]
        for package in outbox.with_outbox(books, well):
            yield _outbox(outbox.of(books, package))
        if "orders" in well:
            yield _checkouts(books, config)
        if "products" in well:
            yield _reservations(books)


def database(books: Books, package: str) -> Finding:
    """Does it answer, and is it as this code expects it?"""
    try:
        there = books.value(package, "SELECT to_regclass('alembic_version') IS NOT NULL")
        revision = books.value(package, _REVISION) if there else None
    except sa.exc.OperationalError as error:
        why = str(error.orig).strip().splitlines()[0].rpartition("FATAL:  ")[2]
        advice = "start PostgreSQL, or set DATABASE_URL; for one that is new: shop migrate"
        return Finding("database", package, why, advice)
    scripts = ScriptDirectory(str(ROOT / package / "migrations"))
    head = scripts.get_current_head()
    if revision == head:
        return Finding("database", package, "answers, migrated")
    if revision is None or _knows(scripts, revision):
        return Finding("database", package, f"at {revision}, not {head}", "shop migrate")
    advice = "run the version of the shop that migrated it, or a newer one"
    return Finding("database", package, f"at {revision}, which this version does not know", advice)


def _knows(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False


def _outbox(found: dict[str, Any]) -> Finding:
    words = count(found["unsent"], "unsent event")
    if found["unsent"]:
        words += f", the oldest for {span(found['oldest_seconds'])}"
    advice = None
    if outbox.is_late(found):
        advice = "shop outbox; is the service up?"
        if found["refused"]:
            advice = "RabbitMQ refuses them: shop migrate makes a queue that is gone; is one full?"
    return Finding("outbox", found["service"], words, advice)


def _checkouts(books: Books, config: Mapping[str, Any]) -> Finding:
    under_way, stuck = checkouts.counts(books, config)
    advice = "shop checkouts says why; staff may retry or undo them" if stuck else None
    return Finding("work", "checkouts", f"{under_way} under way, {stuck} stuck", advice)


def _reservations(books: Books) -> Finding:
    (row,) = books.rows("products", RESERVATIONS.statement, now=utcnow(), most=None)  # all of them
    oldest = row.reservation_overdue_seconds
    late = oldest is not None and oldest > _LATE
    words = f"{row.reservations_overdue} expired and still held"
    if row.reservations_overdue:
        words += f", the oldest for {span(oldest)}"
    return Finding("work", "reservations", words, "is inventory up? see its log" if late else None)
