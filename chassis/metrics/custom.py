"""What a service declares for the metrics itself; nothing of it knows of Prometheus."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nameko.extensions import DependencyProvider

from chassis.gauges import Query, Sample
from chassis.hooks import Hooks


class DatabaseGauges(Hooks, DependencyProvider):
    """Has the service's database asked these queries whenever somebody asks for metrics."""

    def __init__(self, *queries: Query):
        self.queries = queries


class Counter(Hooks, DependencyProvider):
    """Injects `count(number)`, which adds to a counter of this process, `shop_…_total`."""

    def __init__(self, name: str, help: str):
        self._name, self._help = name, help
        self._total = 0

    def get_dependency(self, worker_ctx: Any) -> Callable[[int], None]:
        return self.count

    def count(self, number: int) -> None:
        """So many more."""
        self._total += number

    def samples(self) -> list[Sample]:
        return [Sample(self._name, self._help, self._total)]


class Outcome(Hooks, DependencyProvider):
    """Injects `note(numbers)`: what a look at something has found, by one of the words that it can
    be. When that was is `<name>_timestamp_seconds`, which stays away until then."""

    def __init__(self, name: str, help: str, label: str, words: tuple[str, ...]):
        self._name, self._help, self._label = name, help, label
        self._words = words
        self._found: Mapping[str, int] | None = None
        self._at = 0.0

    def get_dependency(self, worker_ctx: Any) -> Callable[[Mapping[str, int]], None]:
        return self.note

    def note(self, numbers: Mapping[str, int]) -> None:
        """It was found so often; what is not in `numbers`, not at all."""
        self._found, self._at = dict(numbers), time.time()

    def samples(self) -> Iterator[Sample]:
        if self._found is None:
            return
        for word in self._words:
            yield Sample(self._name, self._help, self._found.get(word, 0), {self._label: word})
        when = "When that was found, in seconds since 1970."
        yield Sample(f"{self._name}_timestamp_seconds", when, self._at)
