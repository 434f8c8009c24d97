"""What a run looks like in a terminal: a line for each figure, and what is being done now."""

import time

from rich.console import Console

from bench.measures import Record


class Show:
    """Where there is no terminal, lines alone."""

    def __init__(self, console: Console):
        self._console = console
        self._began = time.monotonic()
        self._status = console.status("starting")

    def __enter__(self) -> "Show":
        self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._status.stop()

    def say(self, text: str) -> None:
        """A step, after the seconds since the start."""
        self._line(f"[{time.monotonic() - self._began:6.1f} s] {text}")

    def doing(self, work: str, text: str) -> None:
        """What lasts a while; shown while it does, where there is a terminal."""
        self._status.update(f"{work}: {text}")

    def figure(self, work: str, contender: str, value: float, unit: str = "/s") -> None:
        """A round's outcome."""
        self._line(f"           {work:<12} {contender:<16} {number(value):>8} {unit}")

    def record(self, record: Record) -> None:
        """The outcome of a work."""
        for goal in record.goals:
            bound = "at most" if goal.is_most else "at least"
            self.say(
                f"{record.title}: {goal.text} {number(goal.value)} {goal.unit},"
                f" wanted {bound} {number(goal.wanted)}: {'met' if goal.is_met else 'NOT met'}"
            )

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def number(value: float) -> str:
    """As many digits as mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
