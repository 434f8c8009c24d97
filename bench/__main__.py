"""`python -m bench`: measure, compare, report."""

import sys
import time

import click
from rich.console import Console

from bench import machine
from bench.measures import Record
from bench.picture import svg
from bench.report import Report
from bench.rig import Rig
from bench.run import FULL, QUICK, Run
from bench.show import Show
from bench.works import QUICK_WORKS, WORKS
from shop.local.place import ROOT
from shop.local.server import LocalError, adopt_orphans

_FOLDER = ROOT / "var" / "bench"


@click.command()
@click.option("--quick", is_flag=True, help="Minutes, few contenders; fails below the guards.")
@click.option("--only", default="", help=f"Of these, with commas: {', '.join(WORKS)}.")
def main(quick: bool, only: str) -> None:
    """Measure this shop beside its peers, on this machine, in turns."""
    wanted = only.split(",") if only else QUICK_WORKS if quick else WORKS
    if unknown := {*wanted} - {*WORKS}:
        raise click.UsageError(f"no such work: {', '.join(sorted(unknown))}")
    names = [name for name in WORKS if name in wanted]
    adopt_orphans()
    began, described = time.monotonic(), machine.describe()
    records: list[Record] = []
    with Show(Console()) as show:
        try:
            with (
                Rig(_FOLDER, show.say) as rig,
                Run(rig, show, QUICK if quick else FULL, quick) as run,
            ):
                described |= {"rabbitmq": rig.rabbitmq_version}
                failures = [line for name in names if (line := _measure(run, name, records))]
                notes = [f"{name} is left out: there is no npm here." for name in run.missing]
        except LocalError as error:
            raise click.ClickException(str(error)) from None
    seconds = time.monotonic() - began
    report = Report(described, seconds, records, run.titles, failures + notes)
    whole = not (quick or only)
    page = (ROOT / "bench" if whole else _FOLDER) / "report.md"
    report.save(_FOLDER / "results.json", page)
    machine_line = f"{described['processors']} × {described['processor']}, {described['date']}"
    page.with_suffix(".svg").write_text(svg(records, machine_line))
    click.echo(f"{page} and {page.with_suffix('.svg')} after {report.seconds:.0f} s")
    unguarded = [goal.text for each in records for goal in each.goals if not goal.is_guarded]
    if quick and unguarded:
        click.echo(f"below the guard: {', '.join(unguarded)}", err=True)
    sys.exit(bool(failures or (quick and unguarded)))


def _measure(run: Run, name: str, records: list[Record]) -> str | None:
    """Add what a work finds; or say why it could not be measured, and go on with the others."""
    try:
        for record in WORKS[name](run):
            records.append(record)
            run.show.record(record)
    except LocalError as error:
        line = f"{name} could not be measured: {error}"
        run.show.say(line)
        return line
    return None


if __name__ == "__main__":
    main()
