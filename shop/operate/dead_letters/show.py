"""Dead letters in a terminal."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shop.operate.dead_letters.replay import Replay
from shop.operate.formatting import count, plain, span


def letters(found: Iterable[Mapping[str, Any]], err: bool = False) -> None:
    """A line for each; nothing when there are none."""
    table = Table("id", "event", "handler", "age", "why")
    table.columns[0].no_wrap = True
    for letter in found:
        table.add_row(
            Text(letter["id"]),
            letter["event"] or "no event",
            Text(letter["handler"] or letter["origin"] or letter["queue"]),
            span(letter["age_seconds"]),
            Text(letter["why"]),
        )
    if table.row_count:
        _console(err).print(table)


def letter(told: Mapping[str, Any]) -> None:
    """All that may be told of one."""
    for name, value in told.items():
        if name == "age_seconds":
            name, value = "age", span(value)
        if name != "payload" and value is not None:
            click.echo(f"{name + ':':13} {plain(str(value))}")
    if told["event"] is None:
        click.echo("payload:      not shown, for it is no event")
    elif isinstance(told["payload"], str):
        click.echo(f"payload:      not JSON: {told['payload']}")
    else:
        click.echo(f"payload:\n{json.dumps(told['payload'], indent=2)}")


def replay(run: Replay) -> None:
    """What was put back, what was not and why, and what is still there."""
    if run.is_dry:
        letters(run.replayed)
    for left in run.left:
        click.echo(f"left where it is: {left['id']}: {left['left']}")
    verb = "would be put back" if run.is_dry else "put back"
    click.echo(f"{count(len(run.replayed), 'letter')} {verb}")
    if run.more:
        click.echo(f"{run.more} more match: run it again, or raise --limit")


def _console(err: bool) -> Console:
    found = Console(stderr=err)
    return found if found.is_terminal else Console(stderr=err, width=160)
