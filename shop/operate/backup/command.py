"""`shop backup` and `shop restore`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import sqlalchemy as sa

from shop.operate import settings
from shop.operate.backup.make import make
from shop.operate.backup.restore import Restore, next_steps
from shop.operate.databases import answering
from shop.operate.formatting import count
from shop.operate.settings import as_json
from shop.options import CannotTell

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@as_json
def backup(folder: Path, as_json: bool) -> None:
    """Write all databases, as they are at one instant, into the new folder DIR.

    The shop goes on: only writing pauses, for some milliseconds as a rule.
    DIR is there when it is whole. Keep it as safe as the databases: it holds people's addresses and
    the keys that sign tokens. Events in RabbitMQ need no backup: `shop restore` has them published
    again. Dead letters are not in it.

    Needs pg_dump of the server's version: PG_BIN names its folder when it is not found.
    """
    with _databases():
        moment = make(settings.load(), folder, _tell(as_json))
    paused = round(moment.held * 1000)
    if as_json:
        answer = {"folder": str(folder), "at": moment.at.isoformat(), "paused_ms": paused}
        click.echo(json.dumps(answer))
    else:
        click.echo(f"{folder}: the shop as of {moment.at.isoformat()}; writing paused {paused} ms")


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--replace", is_flag=True, help="Drop what the databases hold.")
@click.option("--yes", is_flag=True, help="Do not ask before --replace.")
@as_json
def restore(folder: Path, replace: bool, yes: bool, as_json: bool) -> None:
    """Fill the databases with the backup in DIR, and make RabbitMQ fit them.

    Stop the services first; while one runs, nothing is done. The backup is checked before anything
    is touched. Databases that are missing are created; those with something in them are only
    replaced with --replace. If it is interrupted, run it again with --replace before any service
    is started.

    Events that wait in RabbitMQ are thrown away, for they tell of what came after the backup; those
    that were on their way when it was made are published again.
    """
    with _databases():
        config = settings.load()
        work = Restore(config, folder, _tell(as_json))
        if work.full and not replace:
            raise CannotTell("there is something already, use --replace", ", ".join(work.full))
        if work.full and not yes:
            question = f"Replace what the databases of {', '.join(work.full)} hold?"
            click.confirm(question, abort=True, err=True)
        events = work.run()
    made_at = work.page["made_at"].isoformat()
    steps = next_steps(work.page, bool(config["payments"]["stripe"]["api_key"]))
    if as_json:
        click.echo(json.dumps({"made_at": made_at, "events": events, "next": steps}))
    else:
        click.echo(f"restored: the shop as of {made_at}; {count(events, 'event')} to publish again")
        click.echo(f"next: {'; '.join(steps)}")


def _tell(as_json: bool):
    return (lambda line: None) if as_json else click.echo


@contextmanager
def _databases() -> Iterator[None]:
    """What is wrong with them, in a line."""
    try:
        with answering():
            yield
    except sa.exc.ProgrammingError as error:
        raise CannotTell("the databases refuse", error.orig) from None
