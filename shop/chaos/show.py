"""What a run looks like in a terminal, and what it leaves behind in files."""

import json
import threading
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from shop.chaos.chart import svg
from shop.chaos.run import Outcome, Run

#: Seconds between two lines where there is no terminal.
_EVERY = 10


class Progress:
    """Shows a run while it goes on: a table that stays, or lines where there is no terminal."""

    def __init__(self, run: Run, console: Console):
        self._run = run
        self._console = console
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _show(self) -> None:
        if not self._console.is_terminal:
            while not self._over.wait(_EVERY):
                facts = ", ".join(f"{name}: {value}" for name, value in self._facts().items())
                self._console.print(facts, markup=False, highlight=False, soft_wrap=True)
            return
        with Live(self._table(), console=self._console, refresh_per_second=2) as live:
            while not self._over.wait(0.5):
                live.update(self._table())
            live.update(self._table())

    def _facts(self) -> dict[str, str]:
        outcome = self._run.outcome
        journal, aim = outcome.journal, outcome.aim
        latest = str(outcome.faults[-1][1]) if outcome.faults else "none yet"
        failed = sum(journal.failed.values())
        return {
            "seconds": f"{journal.seconds:.0f}",
            "doing": self._run.phase,
            "orders": f"{journal.counts['orders']} of {aim.orders}",
            "paid": str(journal.counts["paid"]),
            "calls": f"{journal.counts['calls']}, {failed} of them not now",
            "faults": f"{len(outcome.faults)}, {outcome.kills} of {aim.kills} kills",
            "last fault": latest,
        }

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2))
        for name, value in self._facts().items():
            table.add_row(name, value)
        return table


def save(outcome: Outcome, folder: Path) -> tuple[Path, Path]:
    """Write the picture and the report; their paths."""
    picture = folder / f"chaos-{outcome.aim.seed}.svg"
    report = picture.with_suffix(".json")
    picture.write_text(svg(outcome))
    report.write_text(json.dumps(_report(outcome), indent=1))
    return picture, report


def _report(outcome: Outcome) -> dict:
    return {
        "seed": outcome.aim.seed,
        "seconds": round(outcome.seconds, 1),
        "provider": outcome.provider,
        "counts": dict(outcome.journal.counts),
        "faults": [[round(moment, 2), str(fault)] for moment, fault in outcome.faults],
        "unrest": outcome.unrest,
        "invariants": {
            invariant.name: {
                "checked": verdict.checked,
                "violations": [[b.subject, b.detail] for b in verdict.violations],
            }
            for invariant, verdict in outcome.verdicts.items()
        },
    }
