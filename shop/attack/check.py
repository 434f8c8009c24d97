"""What one attack is, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shop.attack.scene import Scene


@dataclass
class Outcome:
    """How often something was tried, and a line for each time that it worked."""

    tried: int = 0
    findings: list[str] = field(default_factory=list)

    def expect(self, holds: bool, finding: str) -> None:
        """Count a try; `finding` says what is wrong when it does not hold."""
        self.tried += 1
        if not holds:
            self.findings.append(finding)


@dataclass(frozen=True)
class Check:
    """An attack, the rule that it tries to break, and the function that tries."""

    battery: str
    name: str
    rule: str
    run: Callable[["Scene", Outcome], None]
    #: Left out of the short form.
    is_long: bool = False
