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

from chassis.errors import Fault, ProviderFault, Unavailable
from contracts.payments.enums import Problem
from payments.context import Context
from payments.errors import ProviderTimeout
from payments.providers.port import Kind, Provider, ProviderTransaction
from payments.reconciliation import ledger_queries
from payments.reconciliation.comparison import Finding, compare

#: Findings that a report holds; the others are counted.
MAX_FINDINGS = 1000

#: How often we look by ourselves, and how far back then.
EVERY = datetime.timedelta(hours=1)
LOOK_BACK = datetime.timedelta(days=1)

_DAY = datetime.timedelta(days=1)
_BACK = (Kind.REFUND, Kind.DISPUTE)


@dataclass
class Report:
    """What came of a run over [since, until): how many transactions of the providers were compared,
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


def reconcile(context: Context, since: datetime.datetime, until: datetime.datetime) -> Report:
    """What is wrong in that time, and what is without an answer for too long by now; changes
    nothing.

    What is younger than `settling_seconds` is on its way and not judged; nor is a payment or refund
    without an answer, until `give_up_seconds` are over too. Raises `Unavailable` when a provider
    does not answer, and `ProviderFault` when it refuses.
    """
    settled = _settled_until(context)
    overdue = settled - datetime.timedelta(seconds=context.settings["give_up_seconds"])
    report = Report(since, max(since, min(until, settled)))
    for provider in context.providers:
        try:
            for start, end in _days(report.since, report.until):
                seen = _follow_theirs(context, report, provider, start, end, overdue)
                _follow_ours(context, report, provider, start, end, seen)
        except ProviderTimeout:
            raise Unavailable(f"The provider {provider.name} does not answer.") from None
    with context.db.autocommit() as connection:
        names = ledger_queries.providers_between(connection, report.since, report.until)
    for name in sorted(set(names) - {provider.name for provider in context.providers}):
        report.add(Finding(Problem.NOT_COMPARED, name))
    for finding in ledger_queries.unanswered(context.db.autocommit, overdue):
        report.add(finding)
    return report


def _settled_until(context: Context) -> datetime.datetime:
    return context.clock() - datetime.timedelta(seconds=context.settings["settling_seconds"])


def _follow_theirs(
    context: Context,
    report: Report,
    provider: Provider,
    start: datetime.datetime,
    end: datetime.datetime,
    overdue: datetime.datetime,
) -> set[int]:
    """Is all booked that has moved? The ids of the entries that were found."""
    seen: set[int] = set()
    for transactions in _batches(provider.transactions(start, end)):
        report.movements += len(transactions)
        with context.db.autocommit() as connection:
            entries = ledger_queries.entries_of(connection, provider.name, transactions)
            known = {(entry.kind, entry.reference) for entry in entries}
            rest = [each for each in transactions if (each.kind, each.reference) not in known]
            owners = ledger_queries.owners(connection, provider.name, rest, overdue)
        seen.update(entry.id for entry in entries)
        for finding in compare(provider.name, entries, transactions, owners):
            unknown = finding.problem is Problem.CHARGE_UNKNOWN
            if not (unknown and _has_gone_back(provider, finding.charge)):
                report.add(finding)
    return seen


def _follow_ours(
    context: Context,
    report: Report,
    provider: Provider,
    start: datetime.datetime,
    end: datetime.datetime,
    seen: set[int],
) -> None:
    """Has all moved that is booked?"""
    read = context.db.autocommit
    for entries in ledger_queries.entries(read, provider.name, start, end):
        rest = [entry for entry in entries if entry.id not in seen]
        wanted = {(entry.kind, entry.reference) for entry in rest}
        moved = [
            transaction
            for charge in dict.fromkeys(entry.charge for entry in rest)
            for transaction in _transactions_of(provider, charge)
            if (transaction.kind, transaction.reference) in wanted
        ]
        for finding in compare(provider.name, rest, moved, {}):
            report.add(finding)


def compare_last_day(context: Context, count: Callable[[Mapping[Problem, int]], None]) -> None:
    """Look at the last day, and tell the log what is wrong, and `count` how often."""
    until = _settled_until(context)
    try:
        report = reconcile(context, until - LOOK_BACK, until)
    except Fault as fault:  # the next hour's look goes over the same day
        context.log.warning("reconciliation_failed", error=fault.code)
        return
    count(report.counts)
    for problem, found in report.counts.items():
        context.log.warning("reconciliation_found", problem=str(problem), count=found)
    findings = report.counts.total()
    context.log.info("reconciled", movements=report.movements, findings=findings)


def _transactions_of(provider: Provider, charge: str) -> list[ProviderTransaction]:
    try:
        return list(provider.transactions_of(charge))
    except ProviderFault:  # it knows no such charge
        return []


def _has_gone_back(provider: Provider, charge: str | None) -> bool:
    """Whether nothing is left of a charge that was nobody's."""
    moved = _transactions_of(provider, charge) if charge else []
    return bool(moved) and not sum(
        -transaction.amount if transaction.kind in _BACK else transaction.amount
        for transaction in moved
    )


def _days(
    since: datetime.datetime, until: datetime.datetime
) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
    """The time in parts of a day each, the last perhaps shorter."""
    while since < until:
        end = min(since + _DAY, until)
        yield since, end
        since = end


def _batches(transactions: Iterable[ProviderTransaction]) -> Iterator[list[ProviderTransaction]]:
    moving = iter(transactions)
    while batch := list(itertools.islice(moving, ledger_queries.BATCH)):
        yield batch
