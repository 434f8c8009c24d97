"""What an extension tells of itself when somebody asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a gauge, or of a counter whose name ends in `_total`, at this moment.

    An extension with a method `readings()`, which returns some of these and does not wait, is
    asked at each scrape.
    """

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
