"""What a look at one thing says."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """How `name` is, in a few words; `advice` is what to do about it, None when all is well."""

    area: str
    name: str
    found: str
    advice: str | None = None

    @property
    def is_well(self) -> bool:
        return self.advice is None

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.is_well} | asdict(self)
