"""What a service counts or notes itself; nothing of it knows of Prometheus."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nameko.extensions import DependencyProvider

from chassis.metrics.instruments import PROVIDER_CALLS, PROVIDER_SECONDS
from chassis.metrics.reading import Reading

#: `note(provider, operation, outcome, seconds)`: a call to somebody outside has ended.
Note = Callable[[str, str, str, float], None]


class ProviderCalls(DependencyProvider):
    """Injects a `Note`. Its first three words are of few, known beforehand."""

    def get_dependency(self, worker_ctx: Any) -> Note:
        return self.note

    def note(self, provider: str, operation: str, outcome: str, seconds: float) -> None:
        """See `Note`."""
        names = (self.container.service_name, provider, operation)
        PROVIDER_SECONDS.labels(*names).observe(seconds)
        PROVIDER_CALLS.labels(*names, outcome).inc()


class Tally(DependencyProvider):
    """Injects `count(number)`, which adds to a counter of this process, `shop_…_total`."""

    def __init__(self, name: str, help: str):
        self._name, self._help = name, help
        self._total = 0

    def get_dependency(self, worker_ctx: Any) -> Callable[[int], None]:
        return self.count

    def count(self, number: int) -> None:
        """So many more."""
        self._total += number

    def readings(self) -> list[Reading]:
        return [Reading(self._name, self._help, self._total)]


class Outcome(DependencyProvider):
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

    def readings(self) -> Iterator[Reading]:
        if self._found is None:
            return
        for word in self._words:
            yield Reading(self._name, self._help, self._found.get(word, 0), {self._label: word})
        when = "When that was found, in seconds since 1970."
        yield Reading(f"{self._name}_timestamp_seconds", when, self._at)
