"""What a run leaves behind: every figure as JSON, and the tables as Markdown."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measures import Goal, Record, Table
from bench.show import number

#: Milliseconds of processor time for an answer, below which a process is not named.
_HARDLY_ANYTHING = 0.01


_BESIDE_PEERS = (
    "# How fast, beside what people would pick instead\n\n"
    "Made by `make bench`: gateway, products and orders of each contender on the same machine,"
    " servers and rows, in turns, once their answers are right. Ratios are medians over the rounds,"
    " with the lowest and the highest; absolute figures hold for this machine only."
)


@dataclass(frozen=True)
class Report:
    """All that was measured, on what, and how long it took. `titles` are the contenders' names for
    people; `notes` are what is missing and why; `head` is what the page begins with."""

    machine: Mapping[str, Any]
    seconds: float
    records: list[Record]
    titles: Mapping[str, str]
    notes: list[str]
    head: str = _BESIDE_PEERS

    def to_json(self) -> str:
        """An object; `works` are the records."""
        whole = {
            "machine": self.machine,
            "seconds": round(self.seconds, 1),
            "works": [record.to_json() for record in self.records],
            "notes": self.notes,
        }
        return json.dumps(whole, indent=1)

    def to_markdown(self) -> str:
        """The page, goals first."""
        return "\n".join([*self._head(), *self._goals(), *self._works(), *self._end()]) + "\n"

    def save(self, results: Path, page: Path) -> None:
        """Write both."""
        results.parent.mkdir(parents=True, exist_ok=True)
        results.write_text(self.to_json())
        page.write_text(self.to_markdown())

    def _head(self) -> Iterator[str]:
        yield self.head
        yield ""
        facts = ", ".join(f"{name}: {value}" for name, value in self.machine.items())
        yield f"{facts}; {self.seconds:.0f} s in all."
        yield ""

    def _goals(self) -> Iterator[str]:
        if not any(record.goals for record in self.records):
            return
        yield "![Ratios](report.svg)"
        yield ""
        yield "## Goals"
        yield ""
        yield "| work | measured | wanted | |"
        yield "| --- | --- | --- | --- |"
        for record in self.records:
            for goal in record.goals:
                yield (
                    f"| {record.title} | {measured(goal)} {goal.text} | {wanted(goal)} |"
                    f" {'met' if goal.is_met else '**not met**'} |"
                )
        yield ""

    def _works(self) -> Iterator[str]:
        for record in self.records:
            yield f"## {record.title[0].upper()}{record.title[1:]}"
            yield ""
            if record.contenders:
                yield from self._table(record)
                yield ""
            if any(series.costs for series in record.contenders.values()):
                yield from self._costs(record)
                yield ""
            if record.parts:
                yield "![Where the shop's time goes](profile.svg)"
                yield ""
            if record.table:
                yield from _markdown(record.table)
                yield ""
            for note in record.notes:
                yield f"- {note}"
            if record.notes:
                yield ""

    def _table(self, record: Record) -> Iterator[str]:
        with_latencies = any(series.latencies for series in record.contenders.values())
        heads = ["contender", f"median, {record.unit}", "lowest – highest"]
        heads += ["p50, ms", "p99, ms"] if with_latencies else []
        yield f"| {' | '.join(heads)} |"
        yield f"| --- |{' ---: |' * (len(heads) - 1)}"
        for name, series in record.contenders.items():
            low, high = series.spread
            cells = [
                self.titles.get(name, name),
                number(series.median),
                f"{number(low)} – {number(high)}",
            ]
            if with_latencies:
                cells += [_milliseconds(series.latency(share)) for share in ("p50", "p99")]
            yield f"| {' | '.join(cells)} |"

    def _costs(self, record: Record) -> Iterator[str]:
        """Where the time goes, which no rate tells."""
        yield "| processor time for one answer, ms | in all | in |"
        yield "| --- | ---: | --- |"
        for name, series in record.contenders.items():
            if series.costs:
                dearest = sorted(series.cost.items(), key=lambda item: -item[1])
                parts = [f"{part} {ms:.2f}" for part, ms in dearest if ms >= _HARDLY_ANYTHING]
                whole = sum(series.cost.values())
                yield f"| {self.titles.get(name, name)} | {whole:.2f} | {', '.join(parts)} |"

    def _end(self) -> Iterator[str]:
        if self.notes:
            yield "## Notes"
            yield ""
            yield from (f"- {note}" for note in self.notes)


def measured(goal: Goal) -> str:
    """The figure, with its spread where it has one."""
    text = _with_unit(goal.value, goal.unit)
    if goal.low is not None and goal.high is not None:
        text += f" ({number(goal.low)} – {number(goal.high)})"
    return text


def wanted(goal: Goal) -> str:
    """The bound."""
    return f"{'≤' if goal.is_most else '≥'} {_with_unit(goal.wanted, goal.unit)}"


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)}{'' if unit[0] in '×/' else ' '}{unit}"


def _milliseconds(microseconds: float | None) -> str:
    return "" if microseconds is None else number(microseconds / 1000)


def _markdown(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(table.heads)} |"
    yield f"| --- |{' ---: |' * (len(table.heads) - 1)}"
    for row in table.rows:
        yield f"| {' | '.join(row)} |"
