"""`shop status`."""

import json
import sys

import click
from rich.table import Table
from rich.text import Text

from shop.operate import settings
from shop.operate.formatting import count, plain
from shop.operate.settings import as_json
from shop.operate.status import broker, database
from shop.operate.status.finding import Finding
from shop.packages import load_services
from shop.verify.show import console


@click.command()
@as_json
def status(as_json: bool) -> None:
    """Look at everything at once, and say what needs a hand.

    Does each service answer, do RabbitMQ and PostgreSQL; are the databases migrated; do events
    wait, are there dead letters, do checkouts stand still, is stock held past its time? Changes
    nothing. Fails when something is not as it should be, and says what to do.
    """
    config = settings.load()
    services = [service.name for service in load_services()]
    found = [*broker.look(config["AMQP_URI"], services), *database.look(config)]
    wrong = [finding for finding in found if not finding.is_well]
    if as_json:
        answer = {"ok": not wrong, "findings": [finding.to_json() for finding in found]}
        click.echo(json.dumps(answer, indent=2))
    else:
        console().print(_table(found))
        click.echo(f"{count(len(wrong), 'thing')} to look at" if wrong else "all is well")
    sys.exit(bool(wrong))


def _table(found: list[Finding]) -> Table:
    """A row for each that needs a hand; those that are well, and just the same, share one."""
    alike: dict[tuple[str, str, str | None], list[str]] = {}
    for finding in found:
        alike.setdefault((finding.area, finding.found, finding.advice), []).append(finding.name)
    table = Table("", "area", "of", "found", "what to do")
    for (area, words, advice), names in alike.items():
        table.add_row(
            Text("NO", "bold red") if advice else Text("ok", "green"),
            area,
            ", ".join(names),
            Text(plain(words)),
            Text(advice or ""),
        )
    return table
