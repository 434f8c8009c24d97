"""Outages of databases and of the broker, in the log: one line when a server goes away, one when it
is back, with the number of failures in between.

While it is away everything that needs it fails, many times a second. Each of these failures is an
answer to the caller and is counted in the metrics; a line for each would bury all other lines. So
who finds a server away reports that here, and logs nothing itself.
"""

import time
from collections.abc import Callable
from logging import getLogger
from typing import TypeVar

from chassis.errors import Fault

log = getLogger(__name__)

F = TypeVar("F", bound=Fault)

#: Seconds between two lines about what is still away.
REMIND = 30.0

#: Seconds without a failure after which it counts as back: a server that starts or stops, or is out
#: of connections, serves some requests and refuses others.
SETTLED = 2.0

#: Longest reason that is logged, in characters.
_LONGEST = 200


class Outage:
    """Whether one dependency is away, as far as this process has seen.

    `name` is what the log calls it; `clock` counts seconds. Not for what is wrong with ourselves:
    an error that is not clear to be the dependency's is logged where it is caught.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic):
        self.name = name
        self.is_away = False
        #: When it was last found away, by the clock.
        self.lost_at = float("-inf")
        self._clock = clock
        self._since = self._told_at = 0.0
        self._works_since: float | None = None
        self._failures = 0

    def failed(self, fault: F, reason: str) -> F:
        """A piece of work fails with `fault`, because it is away. Returns the fault, marked as
        logged, so that nobody logs it again."""
        fault.is_logged = True
        self._failures += 1
        self.lost(reason)
        return fault

    def lost(self, reason: str) -> None:
        """It is away; no work has failed for that yet. `reason` holds nothing personal."""
        now = self.lost_at = self._clock()
        self._works_since = None
        if not self.is_away:
            self.is_away = True
            self._since = self._told_at = now
            log.warning("%s is away: %s", self.name, _line(reason))
        elif now >= self._told_at + REMIND:
            self._told_at = now
            log.warning(
                "%s is still away after %d s, %s: %s",
                self.name,
                now - self._since,
                self._count(),
                _line(reason),
            )

    def works(self) -> None:
        """It has just answered. Cheap while it is not away."""
        if not self.is_away:
            return
        now = self._clock()
        if self._works_since is None:
            self._works_since = now
        if now >= self._works_since + SETTLED:
            self.is_away = False
            away = self._works_since - self._since
            log.warning("%s is back after %.1f s, %s", self.name, away, self._count())
            self._failures = 0

    def _count(self) -> str:
        return f"{self._failures} {'piece' if self._failures == 1 else 'pieces'} of work failed"


#: By name and address: the services of a process share them.
_known: dict[tuple[str, str], Outage] = {}


def outage_of(name: str, address: str) -> Outage:
    """That of the dependency at `address`, the same for all of this process."""
    return _known.setdefault((name, address), Outage(name))


def is_logged(error: BaseException | None) -> bool:
    """Whether the log has `error` by way of an outage."""
    return isinstance(error, Fault) and error.is_logged


def _line(reason: str) -> str:
    words = reason.strip().partition("\n")[0]  # libpq goes on with advice
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
