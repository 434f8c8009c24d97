"""What was measured, and what it was to be: the shapes in var/bench/results.json."""

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Series:
    """The rounds of one contender: a figure each, and where known latencies (microseconds), for
    how many seconds it worked on afterwards, and the seconds of processor time that each answer
    took in each process, what was done afterwards included. `answered` counts all answers, also
    those that were not timed."""

    figures: list[float] = field(default_factory=list)
    latencies: list[dict[str, float]] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    costs: list[dict[str, float]] = field(default_factory=list)
    answered: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.figures)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest."""
        return min(self.figures), max(self.figures)

    @property
    def cost(self) -> dict[str, float]:
        """Milliseconds of processor time for each answer by process, medians over the rounds."""
        names = dict.fromkeys(name for costs in self.costs for name in costs)
        return {
            name: statistics.median(costs.get(name, 0.0) for costs in self.costs) * 1000
            for name in names
        }

    def latency(self, name: str) -> float | None:
        """The median over the rounds of a percentile (p50, p90, p99, max), in microseconds."""
        found = [latencies[name] for latencies in self.latencies if name in latencies]
        return statistics.median(found) if found else None


@dataclass(frozen=True)
class Goal:
    """A figure that should be `wanted` at least, or at most. `guard` is where a short run fails:
    far enough off for a busy machine.

    `unit` follows the figure: "×" for a ratio, "ms", "/s", ...; `low` and `high` are its spread.
    """

    text: str
    value: float
    wanted: float
    guard: float | None = None
    is_most: bool = False
    unit: str = "×"
    low: float | None = None
    high: float | None = None

    @property
    def is_met(self) -> bool:
        return self._holds(self.wanted)

    @property
    def is_guarded(self) -> bool:
        """True unless the guard says that something broke."""
        return self.guard is None or self._holds(self.guard)

    @property
    def share(self) -> float:
        """How far it got, with 1 for exactly what is wanted."""
        if self.is_most:
            return self.wanted / self.value if self.value else float("inf")
        return self.value / self.wanted

    def _holds(self, bound: float) -> bool:
        return self.value <= bound if self.is_most else self.value >= bound


@dataclass(frozen=True)
class Table:
    """Figures that are no rates: a head for each column, and the rows."""

    heads: list[str]
    rows: list[list[str]]


@dataclass
class Record:
    """One row of the report: a work, who did it how fast, and what was wanted. `parts` are the
    milliseconds of processor time for one answer of the shop, by process and purpose."""

    name: str
    title: str
    unit: str = "/s"
    contenders: dict[str, Series] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    table: Table | None = None
    parts: dict[str, dict[str, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "contenders": {
                name: {
                    "figures": series.figures,
                    "median": series.median,
                    "spread": series.spread,
                    "latencies": series.latencies,
                    "rests": series.rests,
                    "costs": series.costs,
                }
                for name, series in self.contenders.items()
            },
            "goals": [
                {
                    "text": goal.text,
                    "value": goal.value,
                    "spread": [goal.low, goal.high],
                    "unit": goal.unit,
                    "wanted": goal.wanted,
                    "at": "most" if goal.is_most else "least",
                    "met": goal.is_met,
                }
                for goal in self.goals
            ],
            "notes": self.notes,
            "table": self.table and {"heads": self.table.heads, "rows": self.table.rows},
            "parts": self.parts,
        }


def ratio(
    ours: Series,
    theirs: Series,
    text: str,
    wanted: float,
    guard: float | None = None,
    *,
    is_most: bool = False,
) -> Goal:
    """Our figure in theirs, round by round: what disturbs the machine disturbs neighbours alike."""
    found = [our / their for our, their in zip(ours.figures, theirs.figures, strict=True)]
    low, high = min(found), max(found)
    return Goal(text, statistics.median(found), wanted, guard, is_most, low=low, high=high)


def ratios(
    found: dict[str, Series], ours: str, *rivals: tuple[str, str, float, float | None]
) -> list[Goal]:
    """A `ratio` for each of these (contender, text, wanted, guard) that has taken part."""
    return [
        ratio(found[ours], found[rival], text, wanted, guard)
        for rival, text, wanted, guard in rivals
        if rival in found
    ]


def rotated(things: list[Any], number: int) -> list[Any]:
    """The same, beginning with another one each round."""
    shift = number % len(things)
    return things[shift:] + things[:shift]
