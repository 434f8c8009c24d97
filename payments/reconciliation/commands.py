"""Do our ledger and the providers' books agree?

Both are read in batches, one day after the other, so that a run needs the memory of one day at
most; no transaction is open while a provider is asked. What a provider lists is looked for in the
whole ledger, and what is booked and not listed is asked for by its charge: it may have been booked
long after it moved.
"""

import datetime
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.errors import Fault, ProviderFault, Unavailable
from contracts.payments.enums import Problem
from payments.errors import ProviderTimeout
from payments.providers import Providers
from payments.providers.port import Kind, Movement, Provider
from payments.reconciliation import ledger_queries
from payments.reconciliation.comparison import Finding, compare
from payments.reconciliation.ledger_queries import Read

#: Findings that a report holds; the others are counted.
MAX_FINDINGS = 1000

#: How often we look by ourselves, and how far back then.
EVERY = datetime.timedelta(hours=1)
LOOK_BACK = datetime.timedelta(days=1)

_DAY = datetime.timedelta(days=1)
_BACK = (Kind.REFUND, Kind.DISPUTE)


@dataclass
class Report:
    """What came of a run over [since, until): how many movements of the providers were compared,
    the first findings, and how many there were of each problem."""

    since: datetime.datetime
    until: datetime.datetime
    movements: int = 0
    findings: dict[Finding, None] = field(default_factory=dict)
    counts: Counter[Problem] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Once, also when it is met on two ways."""
        if finding in self.findings:
            return
        self.counts[finding.problem] += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings[finding] = None

    @property
    def more(self) -> int:
        """How many findings it does not hold."""
        return self.counts.total() - len(self.findings)


class Reconciliation:
    """Compares, and changes nothing.

    `settings` are those of the service. What is younger than `settling_seconds` is on its way and
    not judged; nor is a payment or refund without an answer, until `give_up_seconds` are over too.
    """

    def __init__(
        self,
        read: Read,
        providers: Providers,
        now: datetime.datetime,
        settings: Mapping[str, Any],
    ):
        self.read = read
        self.providers = providers
        self.until = now - datetime.timedelta(seconds=settings["settling_seconds"])
        self.overdue = self.until - datetime.timedelta(seconds=settings["give_up_seconds"])

    def run(self, since: datetime.datetime, until: datetime.datetime) -> Report:
        """What is wrong in that time, and what is without an answer for too long by now.

        Raises `Unavailable` when a provider does not answer, and `ProviderFault` when it refuses.
        """
        report = Report(since, max(since, min(until, self.until)))
        for provider in self.providers:
            try:
                for start, end in _days(report.since, report.until):
                    seen = self._follow_theirs(report, provider, start, end)
                    self._follow_ours(report, provider, start, end, seen)
            except ProviderTimeout:
                raise Unavailable(f"The provider {provider.name} does not answer.") from None
        with self.read() as connection:
            names = ledger_queries.providers_between(connection, report.since, report.until)
        for name in sorted(set(names) - {provider.name for provider in self.providers}):
            report.add(Finding(Problem.NOT_COMPARED, name))
        for finding in ledger_queries.unanswered(self.read, self.overdue):
            report.add(finding)
        return report

    def _follow_theirs(
        self,
        report: Report,
        provider: Provider,
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> set[int]:
        """Is all booked that has moved? The ids of the entries that were found."""
        seen: set[int] = set()
        for movements in _batches(provider.movements(start, end)):
            report.movements += len(movements)
            with self.read() as connection:
                entries = ledger_queries.entries_of(connection, provider.name, movements)
                known = {(entry.kind, entry.reference) for entry in entries}
                rest = [each for each in movements if (each.kind, each.reference) not in known]
                owners = ledger_queries.owners(connection, provider.name, rest, self.overdue)
            seen.update(entry.id for entry in entries)
            for finding in compare(provider.name, entries, movements, owners):
                unknown = finding.problem is Problem.CHARGE_UNKNOWN
                if not (unknown and _has_gone_back(provider, finding.charge)):
                    report.add(finding)
        return seen

    def _follow_ours(
        self,
        report: Report,
        provider: Provider,
        start: datetime.datetime,
        end: datetime.datetime,
        seen: set[int],
    ) -> None:
        """Has all moved that is booked?"""
        for entries in ledger_queries.entries(self.read, provider.name, start, end):
            rest = [entry for entry in entries if entry.id not in seen]
            wanted = {(entry.kind, entry.reference) for entry in rest}
            moved = [
                movement
                for charge in dict.fromkeys(entry.charge for entry in rest)
                for movement in _movements_of(provider, charge)
                if (movement.kind, movement.reference) in wanted
            ]
            for finding in compare(provider.name, rest, moved, {}):
                report.add(finding)


def watch(
    reconciliation: Reconciliation, log: Any, note: Callable[[Mapping[Problem, int]], None]
) -> None:
    """Look at the last day, and tell the log what is wrong, and `note` how often."""
    until = reconciliation.until
    try:
        report = reconciliation.run(until - LOOK_BACK, until)
    except Fault as fault:  # the next hour's look goes over the same day
        log.warning("reconciliation_failed", error=fault.code)
        return
    note(report.counts)
    for problem, count in report.counts.items():
        log.warning("reconciliation_found", problem=str(problem), count=count)
    log.info("reconciled", movements=report.movements, findings=report.counts.total())


def _movements_of(provider: Provider, charge: str) -> list[Movement]:
    try:
        return list(provider.movements_of(charge))
    except ProviderFault:  # it knows no such charge
        return []


def _has_gone_back(provider: Provider, charge: str) -> bool:
    """Whether nothing is left of a charge that was nobody's."""
    moved = _movements_of(provider, charge)
    return bool(moved) and not sum(
        -movement.amount if movement.kind in _BACK else movement.amount for movement in moved
    )


def _days(
    since: datetime.datetime, until: datetime.datetime
) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
    """The time in parts of a day each, the last perhaps shorter."""
    while since < until:
        end = min(since + _DAY, until)
        yield since, end
        since = end


def _batches(movements: Iterable[Movement]) -> Iterator[list[Movement]]:
    moving = iter(movements)
    while batch := list(itertools.islice(moving, ledger_queries.BATCH)):
        yield batch
