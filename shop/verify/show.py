"""What came of a look at the books, or of any other rules that were tried, in a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from shop.verify.invariants import Invariant, Verdict

#: Violations of one rule that are told.
_SHOWN = 5


def console() -> Console:
    """The terminal; where there is none, wide enough for the table of invariants."""
    found = Console()
    return found if found.is_terminal else Console(width=140)


def tally(names: Sequence[str], rows: Iterable[tuple[Sequence[str], int, int]]) -> Table:
    """Rules in columns with these names: a row is what tells a rule, how often it was looked at,
    and how often it was broken."""
    table = Table(title_justify="left")
    table.add_column(names[0], no_wrap=True)
    for name in names[1:-2]:
        table.add_column(name)
    for name in names[-2:]:
        table.add_column(name, justify="right")
    for texts, count, bad in rows:
        table.add_row(*texts, str(count), f"[bold red]{bad}[/]" if bad else "[green]0[/]")
    return table


def first(name: str, found: Sequence[str]) -> list[str]:
    """A line for each of the first that were found, and how many more there are."""
    lines = [f"{name}: {one}" for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"{name}: and {len(found) - _SHOWN} more")
    return lines


def verdicts(found: dict[Invariant, Verdict]) -> Table:
    """Invariants, how many things were looked at, and how many break them."""
    rows = (([i.name, i.rule], v.checked, len(v.violations)) for i, v in found.items())
    return tally(["invariant", "rule", "checked", "violations"], rows)


def violations(found: dict[Invariant, Verdict]) -> list[str]:
    """A line for each of the first violations of each rule."""
    lines = []
    for invariant, verdict in found.items():
        lines += first(invariant.name, [f"{b.subject}: {b.detail}" for b in verdict.violations])
    return lines
