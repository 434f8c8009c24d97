"""What a service can be asked for at any moment: values of its parts, and of its database.

`chassis.metrics` asks, when somebody asks us; nothing here knows who.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of a gauge, or of a counter whose name ends in `_total`, at this moment."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """A cheap statement about the whole of a database, and the metrics that its columns are.

    `metrics` are columns with a help text each; the metric is `shop_<column>`. `labels` are columns
    with all values that they can have: for those without a row the metrics are 0, and rows with
    others are left out. The statement may use `:now`, `:most` and settings of its service by name.
    """

    statement: str | sa.Select[Any]
    metrics: Mapping[str, str]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def samples(self, connection: sa.Connection, values: Mapping[str, Any]) -> Iterator[Sample]:
        """What it says now; null is 0."""
        asked = self.statement
        statement = sa.text(asked) if isinstance(asked, str) else asked
        needed = statement.compile().params.keys() & values.keys()
        rows = connection.execute(statement, {name: values[name] for name in needed}).mappings()
        found: dict[tuple[Any, ...], Mapping[Any, Any]]
        found = {tuple(row[label] for label in self.labels): row for row in rows}
        for key in itertools.product(*self.labels.values()):
            row = found.get(key, {})
            labels = dict(zip(self.labels, key, strict=True))
            for column, text in self.metrics.items():
                yield Sample(f"shop_{column}", text, float(row.get(column) or 0), labels)
