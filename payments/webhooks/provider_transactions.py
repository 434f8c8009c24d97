"""Booking what the provider's books show and ours do not: refunds made by hand at its site, money
that a buyer's bank took back, and refunds of ours whose answer was lost."""

import uuid
from collections.abc import Iterable
from functools import partial

from sqlalchemy import Connection, exists, select
from sqlalchemy.orm import Session

from chassis import currencies
from chassis.database import after_commit
from contracts.payments.enums import RefundStatus
from contracts.payments.errors import AnswerMismatch
from payments.context import Context
from payments.ledger import store as ledger
from payments.models import LedgerEntry, Payment, Refund
from payments.providers import keys
from payments.providers.port import Kind, ProviderTransaction, RefundReport
from payments.refunds import store as refund_store

#: Reason of refunds that nobody here has asked for.
FOREIGN = "made at the provider"


def unbooked(
    connection: Connection, payment_id: uuid.UUID, moved: Iterable[ProviderTransaction]
) -> list[ProviderTransaction]:
    """Those of a payment's charge that are not in the ledger, for `book`."""
    entries = select(LedgerEntry.kind, LedgerEntry.provider_reference)
    booked = {tuple(row) for row in connection.execute(entries.filter_by(payment_id=payment_id))}
    return [each for each in moved if (each.kind, each.reference) not in booked]


def book(
    context: Context, session: Session, payment_id: uuid.UUID, transaction: ProviderTransaction
) -> bool:
    """Book a transaction of the charge of a payment, once; whether that changed our books.

    A capture is left to `charges.settle`. A refund of ours that is still pending is settled as
    done; any other one becomes a refund of its own, and is announced as all are.

    Raises `AnswerMismatch` when it is not what we know of the charge, and `NotRefundable` or
    `RefundTooLarge` when more would go back than was taken: what cannot be is not booked, but shown
    by the reconciliation.
    """
    payment = refund_store.lock_payment(session, payment_id)
    if transaction.kind is Kind.CAPTURE or _is_booked(session, payment, transaction):
        return False
    if (transaction.charge, transaction.currency) != (payment.provider_reference, payment.currency):
        raise AnswerMismatch
    if transaction.amount <= 0 or not currencies.fits(transaction.amount, payment.currency):
        raise AnswerMismatch
    if transaction.kind is Kind.REFUND:
        _book_refund(context, session, payment, transaction)
    else:
        _book_dispute(context, session, payment, transaction)
    return True


def _is_booked(session: Session, payment: Payment, transaction: ProviderTransaction) -> bool:
    same = exists().where(
        LedgerEntry.provider == payment.provider,
        LedgerEntry.kind == transaction.kind,
        LedgerEntry.provider_reference == transaction.reference,
    )
    return bool(session.scalar(select(same)))


def _book_refund(
    context: Context, session: Session, payment: Payment, transaction: ProviderTransaction
) -> None:
    """One that we took for failed, or that the provider made twice, counts as the provider's."""
    refund = _ours(session, payment, transaction.key)
    if refund is None or refund.status != RefundStatus.PENDING:
        refund = refund_store.open_refund(
            session,
            payment,
            amount=transaction.amount,
            reason=FOREIGN,
            key=f"provider-{transaction.reference}",
            by=None,
            now=context.clock(),
            next_check_at=context.clock(),
        )
    elif refund.amount != transaction.amount:
        raise AnswerMismatch
    done = RefundReport(done=True, reference=transaction.reference)
    refund_store.apply(context, session, payment, refund, done)


def _ours(session: Session, payment: Payment, key: str | None) -> Refund | None:
    """The refund of this payment that the provider was asked for under `key`."""
    refund_id = keys.id_of(keys.REFUND, key)
    refund = session.get(Refund, refund_id) if refund_id else None
    return refund if refund is not None and refund.payment_id == payment.id else None


def _book_dispute(
    context: Context, session: Session, payment: Payment, transaction: ProviderTransaction
) -> None:
    ledger.dispute(session, payment, transaction, context.clock())
    facts = {
        "payment_id": str(payment.id),
        "order_id": str(payment.order_id),
        "amount": str(transaction.amount),
        "currency": transaction.currency,
        "reference": transaction.reference,
    }
    word = "payment_disputed" if transaction.kind is Kind.DISPUTE else "dispute_reversed"
    # Not before it is true, nor again when the transaction has to be repeated.
    after_commit(session, partial(context.log.warning, word, **facts))
