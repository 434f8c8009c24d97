"""The rows of refunds: opened with their amount reserved, settled by what the provider reports."""

import datetime
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, cast

from sqlalchemy import Connection, exists, select, update
from sqlalchemy.orm import Session

from chassis import currencies
from contracts.payments.enums import RefundStatus
from contracts.payments.errors import NotRefundable, PaymentNotFound, RefundInFlight, RefundTooLarge
from payments import checks, published
from payments.context import Context
from payments.ledger import store as ledger
from payments.models import Payment, Refund
from payments.providers import keys
from payments.providers.port import RefundReport, RefundRequest
from payments.refunds import lifecycle, requests


class PendingRefund(NamedTuple):
    """A refund and what the provider is asked for it; outlives the session it was read in."""

    payment_id: uuid.UUID
    refund_id: uuid.UUID
    provider: str
    request: RefundRequest


def pending(refund: Refund, payment: Payment) -> PendingRefund:
    """What outlives the session of a refund."""
    return _pending(
        refund.id,
        refund.amount,
        payment.id,
        payment.provider,
        payment.provider_reference,
        payment.currency,
    )


def _pending(
    refund_id: uuid.UUID,
    amount: Decimal,
    payment_id: uuid.UUID,
    provider: str,
    charge: str | None,
    currency: str,
) -> PendingRefund:
    """The provider's key is derived from the refund's row, so a repeat gives back once."""
    key = keys.key_of(keys.REFUND, refund_id)
    # It was captured: no entry of the ledger is without a reference.
    request = RefundRequest(key, cast(str, charge), amount, currency)
    return PendingRefund(payment_id, refund_id, provider, request)


def lock_payment(session: Session, payment_id: uuid.UUID) -> Payment:
    """The payment, locked: refunds of one payment are opened and settled one after another."""
    payment = session.get(Payment, payment_id, with_for_update=True)
    if payment is None:
        raise PaymentNotFound
    return payment


def refundable(payment: Payment) -> Decimal:
    """What was taken and is neither given back nor promised."""
    return payment.captured - payment.refunded - payment.refunding


def find(session: Session, payment: Payment, key: str) -> Refund:
    """The refund of this payment that was opened under `key`."""
    return session.scalars(select(Refund).filter_by(payment_id=payment.id, key=key)).one()


def open_refund(
    session: Session,
    payment: Payment,
    *,
    amount: Decimal | None,
    reason: str,
    key: str,
    by: uuid.UUID | None,
    now: datetime.datetime,
    next_check_at: datetime.datetime,
) -> Refund:
    """A pending refund of `amount` (None: all that is left) of the locked `payment`.

    Raises `NotRefundable` or `RefundTooLarge`; `Invalid` for what the currency has no coins for.
    """
    if amount is not None:
        amount = currencies.exact(amount, payment.currency)
    left = refundable(payment)
    if not left:
        raise NotRefundable
    if amount is not None and amount > left:
        raise RefundTooLarge(refundable=str(left))
    refund = Refund(
        id=uuid.uuid4(),
        payment_id=payment.id,
        key=key,
        amount=left if amount is None else amount,
        reason=reason,
        requested_by=by,
        status=RefundStatus.PENDING,
        created_at=now,
        next_check_at=next_check_at,
    )
    session.add(refund)
    ledger.reserve(session, payment, refund.amount)
    return refund


def due_for_order(
    session: Session,
    order_id: uuid.UUID,
    payment_id: uuid.UUID,
    amount: Decimal,
    currency: str,
    key: str,
) -> tuple[Payment, Decimal] | None:
    """The captured payment of an order, locked, and how much of `amount` it still has to give
    back; None when there is nothing (never paid, given back before, or opened under `key`).

    Raises `RefundInFlight` while an unsettled refund holds a part of it: should that one fail,
    its amount would be forgotten. Raises `NotRefundable` for another currency than was taken.
    """
    wanted = select(Payment).where(
        Payment.id == payment_id,
        Payment.order_id == order_id,
        Payment.captured > 0,
        ~Payment.superseded,
        ~exists().where(Refund.payment_id == payment_id, Refund.key == key),
    )
    payment = session.scalars(wanted.with_for_update()).one_or_none()
    if payment is None:
        return None
    if payment.currency != currency:
        raise NotRefundable("The payment was made in another currency.")
    due = min(amount, payment.captured - payment.refunded)
    if due > refundable(payment):
        raise RefundInFlight
    return (payment, due) if due else None


def settle(context: Context, session: Session, pending: PendingRefund, report: RefundReport) -> str:
    """Bring a refund to what the provider reports, once; its state."""
    both = select(Payment, Refund).join(Refund, Refund.payment_id == Payment.id)
    locked = both.where(Refund.id == pending.refund_id).with_for_update()
    payment, refund = session.execute(locked).one()
    if refund.status == RefundStatus.PENDING:
        apply(context, session, payment, refund, report)
    return refund.status


def apply(
    context: Context, session: Session, payment: Payment, refund: Refund, report: RefundReport
) -> None:
    """What the provider reports of a pending refund of the locked `payment`."""
    refund.provider_reference = report.reference
    refund.failure_code = report.failure_code
    if not report.done:
        refund.status = RefundStatus.FAILED
        ledger.release(session, payment, refund)
        if (request_id := requests.request_of(refund.key)) is not None:
            published.record_refund_failed(context, session, payment, refund, request_id)
        return
    refund.status = RefundStatus.SUCCEEDED
    if not payment.superseded:
        refunded = payment.refunded + refund.amount
        payment.status = lifecycle.after_refund(payment.captured, refunded)
    ledger.give_back(session, payment, refund, context.clock())
    if not payment.superseded:
        published.record_refunded(context, session, payment, refund)


def take_due(connection: Connection, now: datetime.datetime, limit: int) -> Sequence[PendingRefund]:
    """Pending refunds whose check is due and that no other instance holds; their next check is set
    before the provider is asked."""
    is_open = Refund.status == RefundStatus.PENDING
    due = checks.due(Refund.id, is_open, Refund.next_check_at, now, limit)
    checked = Refund.checks + 1
    taken = (
        update(Refund)
        .where(Refund.id == due.c.id, Payment.id == Refund.payment_id)
        .values(checks=checked, next_check_at=checks.next_check(checked, now))
        .returning(
            Refund.id,
            Refund.amount,
            Payment.id,
            Payment.provider,
            Payment.provider_reference,
            Payment.currency,
        )
    )
    return [_pending(*row) for row in connection.execute(taken)]
