"""What came of a look at the books, in a terminal."""

from rich.console import Console
from rich.table import Table

from shop.verify.invariants import Invariant, Verdict

#: Breaches of one rule that are shown.
_SHOWN = 5


def console() -> Console:
    """The terminal; where there is none, wide enough for the table of invariants."""
    found = Console()
    return found if found.is_terminal else Console(width=140)


def verdicts(found: dict[Invariant, Verdict]) -> Table:
    """Rules, how many things were looked at, and how many break them."""
    table = Table(title_justify="left")
    table.add_column("invariant", no_wrap=True)
    table.add_column("rule")
    table.add_column("checked", justify="right")
    table.add_column("breaches", justify="right")
    for invariant, verdict in found.items():
        bad = len(verdict.breaches)
        table.add_row(
            invariant.name,
            invariant.rule,
            str(verdict.checked),
            f"[bold red]{bad}[/]" if bad else "[green]0[/]",
        )
    return table


def breaches(found: dict[Invariant, Verdict]) -> list[str]:
    """A line for each of the first breaches of each rule."""
    lines = []
    for invariant, verdict in found.items():
        lines += [f"{invariant.name}: {b.subject}: {b.detail}" for b in verdict.breaches[:_SHOWN]]
        if len(verdict.breaches) > _SHOWN:
            lines.append(f"{invariant.name}: and {len(verdict.breaches) - _SHOWN} more")
    return lines
