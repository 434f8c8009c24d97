"""What our container asks of extensions, beside Nameko's setup, start, stop and kill."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chassis.gauges import Query, Sample


class Hooks:
    """Mixed into extensions, which override what concerns them."""

    #: What a service's database is asked for by the metrics.
    queries: Sequence[Query] = ()

    #: Seconds that a stop takes before anything is finished.
    stop_delay: float = 0

    def check(self) -> None:
        """Look at the settings before anything starts; raise Nameko's `ConfigurationError`, with
        one line, when they are wrong."""

    def samples(self) -> Iterable[Sample]:
        """Values at this moment. Must not wait."""
        return ()

    def answer_probe(self, path: str) -> Any:
        """The `Response` to a `GET` of the path of a probe; None when it is none of ours."""


def hooks_of(container: Any) -> Iterator[Hooks]:
    """The extensions of a service that have any."""
    return (extension for extension in container.extensions if isinstance(extension, Hooks))
