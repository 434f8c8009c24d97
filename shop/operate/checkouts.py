"""`shop checkouts`: what is being bought, and what got stuck."""

import datetime
import json
import sys
from collections.abc import Mapping
from typing import Any

import click
import sqlalchemy as sa
from rich.table import Table
from rich.text import Text

from chassis.clock import utcnow
from chassis.config import check
from contracts.orders.enums import CheckoutState
from orders.checkout.queries import under_way as checkouts_under_way
from orders.settings import OrdersSettings
from shop.operate import settings
from shop.operate.databases import opened
from shop.operate.formatting import count, plain, span
from shop.operate.settings import as_json
from shop.verify import Books
from shop.verify.show import console


def counts(books: Books, config: Mapping[str, Any]) -> tuple[int, int]:
    """How many are under way, and how many of them are stuck, as staff count them."""
    found = _query(config).subquery()
    stuck = sa.func.count().filter(found.c.is_stuck)
    (row,) = books.rows("orders", sa.select(sa.func.count(), stuck).select_from(found))
    return row[0], row[1]


def _query(config: Mapping[str, Any], state: str | None = None) -> sa.Select[Any]:
    values = check(OrdersSettings(), config.get("orders") or {}, "orders")
    return checkouts_under_way(state, utcnow(), values)


@click.command()
@click.option(
    "--state", type=click.Choice([str(state) for state in CheckoutState]), help="Only those."
)
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

    One is "open" while its order is being made, "undoing" while what it has reserved is given back,
    which is tried again every ten seconds, and "paying" while its order waits for the end of a
    payment; the reason says why it has not come so far.

    Fails when one is stuck. What becomes of it, staff decide: POST
    /api/admin/checkouts/{order_id}/retry or /undo.
    """
    config = settings.load()
    query = _query(config, state)
    with opened() as books:
        under_way, stuck = counts(books, config)
        oldest = query.order_by(query.selected_columns.since).limit(limit)
        rows = books.rows("orders", oldest)
    now = utcnow()
    found = [_shown(row, now) for row in rows]
    if as_json:
        answer = {"checkouts": found, "under_way": under_way, "stuck": stuck}
        click.echo(json.dumps(answer, indent=2))
    else:
        if found:
            console().print(_table(found))
        click.echo(f"{count(under_way, 'checkout')} under way, {stuck} stuck")
    sys.exit(bool(stuck))


def _shown(row: sa.Row[Any], now: datetime.datetime) -> dict[str, Any]:
    return {
        "order_id": str(row.order_id),
        "state": row.state,
        "attempts": row.attempts,
        "reason": row.reason,
        "age_seconds": (now - row.since).total_seconds(),
        "due_in_seconds": (row.due_at - now).total_seconds(),
        "stuck": row.is_stuck,
    }


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table("order", "state")
    for heading in ("age", "tried", "next in"):
        table.add_column(heading, justify="right")
    table.add_column("reason")
    for one in found:
        colour = "bold red" if one["stuck"] else "default"
        table.add_row(
            one["order_id"],
            one["state"],
            f"[{colour}]{span(one['age_seconds'])}[/]",
            "" if one["attempts"] is None else str(one["attempts"]),
            span(max(one["due_in_seconds"], 0)),
            Text(plain(one["reason"] or "")),
        )
    return table
