"""`shop outbox`: are the events on their way?"""

import json
import sys
from collections.abc import Iterable
from typing import Any

import click
from rich.table import Table

from chassis.events.outbox import WAITING
from shop.operate.databases import opened
from shop.operate.formatting import span
from shop.operate.settings import as_json
from shop.packages import DATABASE_PACKAGES
from shop.verify import Books
from shop.verify.show import console

#: Seconds that an event may wait for its relay, which looks every three, before somebody should
#: ask why.
LATE = 60

_LAST = """
    SELECT sent_at, extract(epoch FROM now() - sent_at)::float AS seconds FROM outbox
    WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1
"""


def with_outbox(books: Books, packages: Iterable[str]) -> list[str]:
    """Those that publish events."""
    there = "SELECT to_regclass('outbox') IS NOT NULL"
    return [package for package in packages if books.value(package, there)]


def of(books: Books, package: str) -> dict[str, Any]:
    """What waits in the outbox of a service. `refused` of it RabbitMQ would not have: its queue is
    full or gone. Times are None when there is nothing."""
    (waiting,) = books.rows(package, WAITING.statement, most=None)  # all of it
    last = next(iter(books.rows(package, _LAST)), None)
    return {
        "service": package,
        "unsent": waiting.outbox_unsent,
        "refused": waiting.outbox_refused,
        "oldest_seconds": waiting.outbox_oldest_seconds,
        "last_sent": last and last.sent_at.isoformat(),
        "last_sent_seconds": last and last.seconds,
    }


@click.command()
@as_json
def outbox(as_json: bool) -> None:
    """List the events of each service that wait to be published.

    An event is a row in its service's database until RabbitMQ has confirmed it; a relay in the
    service takes it there within seconds. Fails when one has waited for a minute: then RabbitMQ or
    the service is down, or, if they are "refused", a queue is full or was deleted (`shop migrate`
    makes it again).
    """
    with opened() as books:
        found = [of(books, package) for package in with_outbox(books, DATABASE_PACKAGES)]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        console().print(_table(found))
    sys.exit(any(map(is_late, found)))


def is_late(found: dict[str, Any]) -> bool:
    return found["oldest_seconds"] is not None and found["oldest_seconds"] > LATE


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table("service")
    for heading in ("unsent", "refused", "oldest", "last sent"):
        table.add_column(heading, justify="right")
    for one in found:
        colour = "bold red" if is_late(one) else "green"
        table.add_row(
            one["service"],
            f"[{colour}]{one['unsent']}[/]",
            str(one["refused"]),
            span(one["oldest_seconds"]),
            "never" if one["last_sent"] is None else f"{span(one['last_sent_seconds'])} ago",
        )
    return table
