"""How the books of a shop are checked that goes on selling.

Services agree with each other a moment after each change, not at every instant. So a breach counts
when it is still the same one at a second look: what was under way has arrived by then.
"""

import time
from collections.abc import Callable, Iterable

from shop.verify.books import Books
from shop.verify.invariants import INVARIANTS, Breach, Invariant, Verdict

#: Seconds between two looks.
PAUSE = 2.0


def verify(
    books: Books,
    patience: float = 30,
    invariants: Iterable[Invariant] = INVARIANTS,
    tell: Callable[[Invariant, Verdict], None] = lambda invariant, verdict: None,
) -> dict[Invariant, Verdict]:
    """Each invariant with what came of it; breaches are those seen in all looks of `patience`
    seconds. `tell` hears of each as soon as it is decided."""
    verdicts = {}
    until = time.monotonic() + patience
    for invariant in invariants:
        verdicts[invariant] = _decide(books, invariant, until)
        tell(invariant, verdicts[invariant])
    return verdicts


def _decide(books: Books, invariant: Invariant, until: float) -> Verdict:
    verdict = invariant.check(books)
    lasting: set[Breach] = set(verdict.breaches)
    while lasting and time.monotonic() < until:
        time.sleep(PAUSE)
        verdict = invariant.check(books)
        lasting &= set(verdict.breaches)
    return Verdict(
        verdict.checked, tuple(breach for breach in verdict.breaches if breach in lasting)
    )
