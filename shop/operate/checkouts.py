"""`shop checkouts`: what is being bought, and what got stuck."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from chassis.config import check
from orders.checkout.admin import FACTOR
from orders.settings import OrdersSettings
from shop.operate import settings
from shop.operate.databases import opened
from shop.operate.formatting import count, plain, span
from shop.operate.settings import as_json
from shop.verify import Books
from shop.verify.show import console

_UNDER_WAY = """
    SELECT order_id, state, attempts, reason,
           extract(epoch FROM now() - started_at)::float AS age_seconds,
           extract(epoch FROM due_at - now())::float AS due_in_seconds
    FROM checkouts WHERE :state IS NULL OR state = :state
    ORDER BY started_at LIMIT :limit
"""
_COUNTS = """
    SELECT count(*) AS all,
           count(*) FILTER (WHERE started_at < now() - make_interval(secs => :stuck)) AS stuck
    FROM checkouts
"""


def stuck_after(config: Mapping[str, Any]) -> int:
    """Seconds after which staff count a checkout as stuck too (`orders.checkout.admin`)."""
    values = check(OrdersSettings(), config.get("orders") or {}, "orders")
    return FACTOR * values["checkout_patience"]


def counts(books: Books, stuck_after: int) -> tuple[int, int]:
    """How many are under way, and how many of them are stuck."""
    (row,) = books.rows("orders", _COUNTS, stuck=stuck_after)
    return row.all, row.stuck


@click.command()
@click.option("--state", type=click.Choice(["open", "undoing"]), help="Only those.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=10_000),
    default=50,
    show_default=True,
    help="Checkouts to list.",
)
@as_json
def checkouts(state: str | None, limit: int, as_json: bool) -> None:
    """List the checkouts under way, the oldest first.

    One is "open" while its order is being made, and "undoing" while what it has reserved is given
    back, which is tried again every ten seconds; the reason says why it has not worked so far.

    Fails when one is stuck. What becomes of it, staff decide: POST
    /api/admin/checkouts/{order_id}/retry or /undo.
    """
    limit_of_time = stuck_after(settings.load())
    with opened() as books:
        under_way, stuck = counts(books, limit_of_time)
        found = [
            row._asdict() | {"order_id": str(row.order_id)}
            for row in books.rows("orders", _UNDER_WAY, state=state, limit=limit)
        ]
    if as_json:
        answer = {"checkouts": found, "under_way": under_way, "stuck": stuck}
        click.echo(json.dumps(answer, indent=2))
    else:
        if found:
            console().print(_table(found, limit_of_time))
        click.echo(f"{count(under_way, 'checkout')} under way, {stuck} stuck")
    sys.exit(bool(stuck))


def _table(found: list[dict[str, Any]], limit_of_time: int) -> Table:
    table = Table("order", "state")
    for heading in ("age", "tried", "next in"):
        table.add_column(heading, justify="right")
    table.add_column("reason")
    for one in found:
        colour = "bold red" if one["age_seconds"] > limit_of_time else "default"
        table.add_row(
            one["order_id"],
            one["state"],
            f"[{colour}]{span(one['age_seconds'])}[/]",
            str(one["attempts"]),
            span(max(one["due_in_seconds"], 0)),
            Text(plain(one["reason"] or "")),
        )
    return table
