"""Our books as the reconciliation reads them: in batches, each of them read at once."""

import datetime
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select, tuple_

from contracts.payments.enums import OPEN, Problem, RefundStatus, Status
from payments.models import LedgerEntry, Payment, Refund
from payments.providers import keys
from payments.providers.port import Kind, ProviderTransaction
from payments.reconciliation.comparison import Entry, Finding, Owner, Sum

Read = Callable[[], AbstractContextManager[Connection]]
AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

#: Rows that are read, or transactions that are looked for, together.
BATCH = 500
#: How long a buyer may take for a challenge or the provider's page.
PATIENCE = datetime.timedelta(days=1)

_ENTRY = select(
    LedgerEntry.id,
    LedgerEntry.kind,
    LedgerEntry.provider_reference,
    Payment.provider_reference.label("charge"),
    LedgerEntry.amount,
    LedgerEntry.currency,
    LedgerEntry.payment_id,
    LedgerEntry.order_id,
    LedgerEntry.at,
).join(Payment, Payment.id == LedgerEntry.payment_id)


def entries(
    read: Read, provider: str, start: datetime.datetime, end: datetime.datetime
) -> Iterator[list[Entry]]:
    """What was booked in that time, in batches."""
    within = LedgerEntry.at >= start, LedgerEntry.at < end
    wanted = _ENTRY.where(LedgerEntry.provider == provider, *within)
    for rows in _pages(read, wanted, at=LedgerEntry.at, id=LedgerEntry.id):
        yield [_entry(row) for row in rows]


def entries_of(
    connection: Connection, provider: str, transactions: Iterable[ProviderTransaction]
) -> list[Entry]:
    """The entries of these transactions, whenever they were made."""
    names = [(str(transaction.kind), transaction.reference) for transaction in transactions]
    rows = connection.execute(
        _ENTRY.where(
            LedgerEntry.provider == provider,
            tuple_(LedgerEntry.kind, LedgerEntry.provider_reference).in_(names),
        )
    )
    return [_entry(row) for row in rows]


def owners(
    connection: Connection,
    provider: str,
    transactions: Sequence[ProviderTransaction],
    overdue: datetime.datetime,
) -> dict[ProviderTransaction, Owner]:
    """Whose these transactions are, by the charge or else by our key in them; what was begun before
    `overdue` is not settling any more."""
    if not transactions:
        return {}
    by_key = {
        each: keys.id_of(keys.PAYMENT, each.key)
        for each in transactions
        if each.kind is Kind.CAPTURE
    }
    refund_ids = {
        each: keys.id_of(keys.REFUND, each.key) for each in transactions if each.kind is Kind.REFUND
    }
    payments = connection.execute(
        select(
            Payment.id,
            Payment.order_id,
            Payment.provider_reference,
            and_(Payment.status.in_(OPEN), ~_is_overdue(overdue)).label("settling"),
        ).where(
            Payment.provider == provider,
            or_(
                Payment.provider_reference.in_(
                    {transaction.charge for transaction in transactions}
                ),
                Payment.id.in_({found for found in by_key.values() if found}),
            ),
        )
    ).all()
    awaited = set(
        connection.scalars(
            select(Refund.id).where(
                Refund.id.in_({found for found in refund_ids.values() if found}),
                Refund.status == RefundStatus.PENDING,
                Refund.created_at >= overdue,
            )
        )
    )
    of_charge = {row.provider_reference: row for row in payments}
    of_id = {row.id: row for row in payments}
    found = {}
    for transaction in transactions:
        row = of_charge.get(transaction.charge) or of_id.get(by_key.get(transaction))
        if row is not None:
            settling = row.settling or refund_ids.get(transaction) in awaited
            found[transaction] = Owner(row.id, row.order_id, settling)
    return found


def providers_between(
    connection: Connection, start: datetime.datetime, end: datetime.datetime
) -> list[str]:
    """The providers of what was booked in that time."""
    within = LedgerEntry.at >= start, LedgerEntry.at < end
    return list(connection.scalars(select(LedgerEntry.provider).where(*within).distinct()))


def unanswered(read: Read, overdue: datetime.datetime) -> Iterator[Finding]:
    """Payments and refunds, begun before `overdue`, of which nobody knows what became."""
    about = (
        Payment.provider,
        Payment.provider_reference,
        Payment.order_id,
        Payment.currency,
    )
    of_payments = select(Payment.id.label("payment_id"), Payment.amount, *about)
    of_refunds = (
        select(Refund.id.label("refund_id"), Refund.payment_id, Refund.amount, *about)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == RefundStatus.PENDING, Refund.created_at < overdue)
    )
    of_payments = of_payments.where(_is_overdue(overdue))
    for rows in _pages(read, of_payments, payment_id=Payment.id):
        yield from (_unanswered(Problem.PAYMENT_PENDING, row) for row in rows)
    for rows in _pages(read, of_refunds, refund_id=Refund.id):
        yield from (_unanswered(Problem.REFUND_PENDING, row, row.refund_id) for row in rows)


def _unanswered(problem: Problem, row: AnyRow, refund_id: uuid.UUID | None = None) -> Finding:
    return Finding(
        problem,
        row.provider,
        charge=row.provider_reference,
        payment_id=row.payment_id,
        order_id=row.order_id,
        ours=Sum(row.amount, row.currency),
        refund_id=refund_id,
    )


def _is_overdue(overdue: datetime.datetime) -> Any:
    """Without an answer for too long; a buyer has more time than a provider."""
    return or_(
        and_(Payment.status == Status.PENDING, Payment.created_at < overdue),
        and_(Payment.status == Status.REQUIRES_ACTION, Payment.created_at < overdue - PATIENCE),
    )


def _pages(read: Read, wanted: AnySelect, **place: Any) -> Iterator[Sequence[AnyRow]]:
    """The rows in the order of `place`: columns, by their names in a row, that no two share."""
    columns = place.values()
    page = wanted
    while True:
        with read() as connection:
            rows = connection.execute(page.order_by(*columns).limit(BATCH)).all()
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        last = tuple(getattr(rows[-1], name) for name in place)
        page = wanted.where(tuple_(*columns) > last)


def _entry(row: AnyRow) -> Entry:
    return Entry(
        row.id,
        Kind(row.kind),
        row.provider_reference,
        row.charge,
        Sum(row.amount, row.currency),
        row.payment_id,
        row.order_id,
    )
