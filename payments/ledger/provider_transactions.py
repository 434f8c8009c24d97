"""Booking what the provider's books show and ours do not: refunds made by hand at its site, money
that a buyer's bank took back, and refunds of ours whose answer was lost."""

import datetime
import uuid
from functools import partial

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis import currencies
from chassis.database import after_commit
from contracts.payments.errors import AnswerMismatch
from payments.events import Publish
from payments.ledger import store as ledger
from payments.models import LedgerEntry, Payment, Refund
from payments.providers import keys
from payments.providers.port import Kind, Movement, RefundReport
from payments.refunds import store as refund_store

log = structlog.get_logger("payments")

#: Reason of refunds that nobody here has asked for.
FOREIGN = "made at the provider"


def book(
    session: Session,
    payment_id: uuid.UUID,
    movement: Movement,
    now: datetime.datetime,
    publish: Publish,
) -> bool:
    """Book a movement of the charge of a payment, once; whether that changed our books.

    A capture is left to `charges.settle`. A refund of ours that is still pending is settled as
    done; any other one becomes a refund of its own, and is announced as all are.

    Raises `AnswerMismatch` when it is not what we know of the charge, and `NotRefundable` or
    `RefundTooLarge` when more would go back than was taken: what cannot be is not booked, but shown
    by the reconciliation.
    """
    payment = refund_store.lock_payment(session, payment_id)
    if movement.kind is Kind.CAPTURE or _is_booked(session, payment, movement):
        return False
    if (movement.charge, movement.currency) != (payment.provider_reference, payment.currency):
        raise AnswerMismatch
    if not (ledger.fits(movement.amount) and currencies.fits(movement.amount, payment.currency)):
        raise AnswerMismatch
    if movement.kind is Kind.REFUND:
        _book_refund(session, payment, movement, now, publish)
    else:
        _book_dispute(session, payment, movement, now)
    return True


def _is_booked(session: Session, payment: Payment, movement: Movement) -> bool:
    same = exists().where(
        LedgerEntry.provider == payment.provider,
        LedgerEntry.kind == movement.kind,
        LedgerEntry.provider_reference == movement.reference,
    )
    return session.scalar(select(same))


def _book_refund(
    session: Session,
    payment: Payment,
    movement: Movement,
    now: datetime.datetime,
    publish: Publish,
) -> None:
    """One that we took for failed, or that the provider made twice, counts as the provider's."""
    refund = _ours(session, payment, movement.key)
    if refund is None or refund.status != refund_store.PENDING:
        refund = refund_store.open_refund(
            session,
            payment,
            amount=movement.amount,
            reason=FOREIGN,
            key=f"provider-{movement.reference}",
            by=None,
            now=now,
            next_check_at=now,
        )
    elif refund.amount != movement.amount:
        raise AnswerMismatch
    done = RefundReport(done=True, reference=movement.reference)
    refund_store.settle(session, refund_store.job(refund, payment), done, now, publish)


def _ours(session: Session, payment: Payment, key: str | None) -> Refund | None:
    """The refund of this payment that the provider was asked for under `key`."""
    refund_id = keys.id_of(keys.REFUND, key)
    refund = session.get(Refund, refund_id) if refund_id else None
    return refund if refund is not None and refund.payment_id == payment.id else None


def _book_dispute(
    session: Session, payment: Payment, movement: Movement, now: datetime.datetime
) -> None:
    ledger.dispute(session, payment, movement, now)
    facts = {
        "payment_id": str(payment.id),
        "order_id": str(payment.order_id),
        "amount": str(movement.amount),
        "currency": movement.currency,
        "reference": movement.reference,
    }
    word = "payment_disputed" if movement.kind is Kind.DISPUTE else "dispute_reversed"
    # Not before it is true, nor again when the transaction has to be repeated.
    after_commit(session, partial(log.warning, word, **facts))
