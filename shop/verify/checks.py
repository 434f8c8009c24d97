"""How the books are checked while the shop sells.

Services agree with each other a moment after each change, not at every instant. So a violation
counts when a second check finds the same one: what was under way has arrived by then.
"""

import time
from collections.abc import Callable, Iterable

from shop.verify.books import Books
from shop.verify.invariants import INVARIANTS, Invariant, Verdict, Violation

#: Seconds between two checks.
PAUSE = 2.0


def verify(
    books: Books,
    patience: float = 30,
    invariants: Iterable[Invariant] = INVARIANTS,
    tell: Callable[[Invariant, Verdict], None] = lambda invariant, verdict: None,
) -> dict[Invariant, Verdict]:
    """Each invariant with its verdict: the violations that every check within `patience` seconds
    has found. `tell` gets each as soon as it is decided."""
    verdicts = {}
    until = time.monotonic() + patience
    for invariant in invariants:
        verdicts[invariant] = _decide(books, invariant, until)
        tell(invariant, verdicts[invariant])
    return verdicts


def _decide(books: Books, invariant: Invariant, until: float) -> Verdict:
    verdict = invariant.check(books)
    lasting: set[Violation] = set(verdict.violations)
    while lasting and time.monotonic() < until:
        time.sleep(PAUSE)
        verdict = invariant.check(books)
        lasting &= set(verdict.violations)
    return Verdict(
        verdict.checked,
        tuple(violation for violation in verdict.violations if violation in lasting),
    )
