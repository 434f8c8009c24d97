"""`python -m bench`: measure, compare, report."""

import signal
import sys
import time
from collections.abc import Container, Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from bench import machine, picture
from bench.ablations import ABLATIONS
from bench.measures import Record
from bench.report import Report, measured
from bench.rig import Rig
from bench.run import FULL, QUICK, Run, Size
from bench.show import Show
from bench.works import APART, HEADLINES, QUICK_WORKS, WORKS
from shop.local.place import ROOT
from shop.local.server import LocalError, adopt_orphans

_FOLDER = ROOT / "var" / "bench"
#: The head of the page about shortcuts.
_WITHOUT = (
    "# What each shortcut of our own is worth\n\n"
    "Made by `make bench ONLY=ablations`: the shop beside itself without one of them,"
    " on the same machine, servers and rows, in turns. `SHORTCUTS=place` takes out that alone."
)


@click.command()
@click.option("--quick", is_flag=True, help="Minutes, few contenders; fails below the guards.")
@click.option("--only", default="", help=f"Of these, with commas: {', '.join(WORKS)}.")
@click.option(
    "--shortcuts", default="", help=f"Of the ablations, these alone: {', '.join(ABLATIONS)}."
)
@click.option("--rounds", type=click.IntRange(1), help="Turns that each contender gets.")
@click.option("--seconds", type=click.FloatRange(0.1), help="How long a turn lasts.")
def main(quick: bool, only: str, shortcuts: str, rounds: int | None, seconds: float | None) -> None:
    """Measure this shop beside its peers, on this machine, in turns; with `--only ablations`,
    beside itself without one shortcut after the other."""
    wanted = _listed(only, "work", WORKS) or (QUICK_WORKS if quick else {*WORKS} - {*APART})
    taken_out = _listed(shortcuts, "shortcut", ABLATIONS)
    names = [name for name in WORKS if name in wanted]
    size = QUICK if quick else FULL
    size = replace(size, rounds=rounds or size.rounds, seconds=seconds or size.seconds)
    signal.signal(signal.SIGTERM, _interrupt)
    adopt_orphans()
    try:
        report, failures = _run(names, size, quick, taken_out)
    except LocalError as error:
        raise click.ClickException(str(error)) from None
    if names == ["ablations"]:
        _save(
            replace(report, head=_WITHOUT), _FOLDER if taken_out else ROOT / "bench" / "ablations"
        )
    else:
        _save(report, _FOLDER if quick or only else ROOT / "bench")
    unguarded = [
        f"{each.title}: {measured(goal)} {goal.text}"
        for each in report.records
        for goal in each.goals
        if not goal.is_guarded
    ]
    if quick and unguarded:
        click.echo(f"below the guard: {', '.join(unguarded)}", err=True)
    sys.exit(bool(failures or (quick and unguarded)))


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _listed(text: str, kind: str, known: Container[str]) -> list[str]:
    """The names that an option has; `UsageError` for one that is not known."""
    found = text.split(",") if text else []
    if unknown := [name for name in found if name not in known]:
        raise click.UsageError(f"no such {kind}: {', '.join(unknown)}")
    return found


def _run(
    names: Sequence[str], size: Size, is_quick: bool, shortcuts: Sequence[str]
) -> tuple[Report, list[str]]:
    """What was measured, and a line for each work that could not be."""
    began, described = time.monotonic(), machine.describe()
    records: list[Record] = []
    with (
        Show(Console()) as show,
        Rig(_FOLDER, show.say) as rig,
        Run(rig, show, size, is_quick, shortcuts) as run,
    ):
        described |= {"rabbitmq": rig.rabbitmq_version}
        failures = [line for name in names if (line := _measure(run, name, records))]
    records.sort(key=lambda record: record.name not in HEADLINES)
    missing = [f"{name} is left out: there is no npm here." for name in run.missing]
    seconds = time.monotonic() - began
    return Report(described, seconds, records, run.titles, failures + missing), failures


def _save(report: Report, folder: Path) -> None:
    page = folder / "report.md"
    report.save(_FOLDER / "results.json", page)
    if not any(record.goals for record in report.records):
        click.echo(f"{page} after {report.seconds:.0f} s")
        return
    facts = report.machine
    subtitle = f"{facts['processors']} × {facts['processor']}, {facts['date']}"
    (folder / "report.svg").write_text(picture.goals(report.records, subtitle))
    for record in report.records:
        if record.parts:
            (folder / "profile.svg").write_text(picture.profile(record, subtitle))
    click.echo(f"{page} and its pictures after {report.seconds:.0f} s")


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
