"""Charges: opening a payment, and settling it by what the provider reports."""

import datetime
import uuid
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.idempotency import KeyReused
from contracts.payments.enums import OPEN, Status
from contracts.payments.errors import AlreadyPaid, AnswerMismatch, PaymentActive
from payments import events
from payments.charges import lifecycle
from payments.events import Publish
from payments.ledger import store as ledger
from payments.models import Payment
from payments.providers import keys
from payments.providers.port import ChargeReport, Known
from payments.refunds import store as refund_store

#: Why money goes back at once (`failure_code`): less came than was asked for; or another payment
#: has taken the place of one that had been given up.
PARTIAL_CAPTURE, PAID_TWICE = "partial_capture", "paid_twice"

#: Why a payment is cancelled (`cancel_reason`, then `failure_code`): its buyer has taken another
#: means, or there is nothing to pay for any more.
REPLACED, ORDER_CANCELLED = "replaced", "order_cancelled"


class Step(Enum):
    """What is left to do with a payment that was opened, or found again by its key."""

    CREATE = "nobody has asked the provider yet"
    RESUME = "someone may have asked, and is gone"
    NONE = "decided, or somebody else is at it"


def known(payment: Payment) -> Known:
    """The charge as the provider knows it."""
    return Known(keys.key_of(keys.PAYMENT, payment.id), payment.provider_reference)


def open_payment(
    session: Session,
    *,
    order_id: uuid.UUID,
    order_number: str | None,
    user_id: uuid.UUID,
    amount: Decimal,
    currency: str,
    key: str,
    provider: str,
    test_mode: bool,
    now: datetime.datetime,
    calling_until: datetime.datetime,
) -> tuple[Payment, Step]:
    """The payment for (order_id, key), made `pending` unless it is there, and what is left to do.

    Raises `PaymentActive` or `AlreadyPaid` when another payment holds the order, and `KeyReused`.
    """
    new = insert(Payment).values(
        id=uuid.uuid4(),
        order_id=order_id,
        order_number=order_number,
        user_id=user_id,
        key=key,
        provider=provider,
        test_mode=test_mode,
        status=Status.PENDING,
        amount=amount,
        currency=currency,
        created_at=now,
        calling_until=calling_until,
        next_check_at=calling_until,
    )
    # Two at once: the second waits here for the first, then makes nothing.
    made = session.scalar(new.on_conflict_do_nothing().returning(Payment.id))
    if made is not None:
        return session.get_one(Payment, made), Step.CREATE
    same_key = select(Payment).where(Payment.order_id == order_id, Payment.key == key)
    payment = session.scalars(same_key.with_for_update()).one_or_none()
    if payment is None:
        raise _blocked(session, order_id)
    if (payment.amount, payment.currency) != (amount, currency):
        raise KeyReused(errors={"key": ["Used for another amount."]})
    if payment.status != Status.PENDING or payment.cancel_reason or payment.calling_until > now:
        return payment, Step.NONE
    payment.calling_until = payment.next_check_at = calling_until
    return payment, Step.RESUME


def _blocked(session: Session, order_id: uuid.UUID) -> PaymentActive | AlreadyPaid:
    paid = session.scalar(
        select(Payment.id).where(
            Payment.order_id == order_id, Payment.captured > 0, ~Payment.superseded
        )
    )
    return PaymentActive() if paid is None else AlreadyPaid()


def lock_open(session: Session, order_id: uuid.UUID) -> Payment | None:
    """The payment of an order that is not decided yet, locked."""
    wanted = select(Payment).where(Payment.order_id == order_id, Payment.status.in_(OPEN))
    return session.scalars(wanted.with_for_update()).one_or_none()


def begin_to_cancel(
    payment: Payment, reason: str, now: datetime.datetime, calling_until: datetime.datetime
) -> bool:
    """Note that an open, locked payment is to be cancelled; whether the provider may be asked for
    that now, which is over by `calling_until`.

    One that somebody is just charging may bring its money at this moment: nothing takes its place,
    and for an order that was cancelled it is noted for later.
    """
    is_being_charged = payment.status == Status.PENDING and payment.calling_until > now
    if reason == ORDER_CANCELLED or not is_being_charged:
        payment.cancel_reason = reason
    if is_being_charged:
        return False
    payment.action_url = None
    payment.calling_until = payment.next_check_at = calling_until
    return True


def never_received(payment: Mapping[str, Any]) -> ChargeReport:
    """The end of a payment that its provider knows nothing of."""
    return ChargeReport(
        Status.FAILED, payment["amount"], payment["currency"], failure_code="not_received"
    )


def leave_unknown(session: Session, payment_id: uuid.UUID, now: datetime.datetime) -> Payment:
    """The provider did not answer: nobody is calling any more, and the sweep may ask soon."""
    payment = session.get_one(Payment, payment_id, with_for_update=True)
    if payment.status == Status.PENDING:
        payment.calling_until = now
        payment.next_check_at = now + datetime.timedelta(seconds=1)
    return payment


def settle(
    session: Session,
    payment_id: uuid.UUID,
    report: ChargeReport,
    now: datetime.datetime,
    publish: Publish,
) -> Payment:
    """Bring a payment to what the provider reports, once; old and repeated news change nothing.

    The one way to a decision, for the caller's own answer, the sweep and later news alike.
    """
    payment = session.get_one(Payment, payment_id, with_for_update=True)
    if payment.captured or not lifecycle.advances(payment.status, report.status):
        return payment
    in_part = _check(payment, report)
    late = payment.status == Status.FAILED
    payment.provider_reference = report.reference or payment.provider_reference
    payment.action_url = None if payment.cancel_reason else report.action_url
    payment.failure_code = report.failure_code
    if payment.cancel_reason:
        payment.next_check_at = now  # what still waits is cancelled by the sweep
    if in_part:
        _give_back_at_once(session, payment, report.amount, PARTIAL_CAPTURE, now)
        if not late:
            events.failed(publish, session, payment)
        return payment
    if late and not _take_the_place_again(session, payment):
        _give_back_at_once(session, payment, report.amount, PAID_TWICE, now)
        return payment
    payment.status = report.status
    if report.status == Status.SUCCEEDED:
        ledger.capture(session, payment, report.amount, now)
        events.succeeded(publish, session, payment)
    elif report.status == Status.FAILED and payment.cancel_reason:
        payment.failure_code = payment.cancel_reason
        events.cancelled(publish, session, payment)
    elif report.status == Status.FAILED:
        events.failed(publish, session, payment)
    return payment


def _check(payment: Payment, report: ChargeReport) -> bool:
    """Whether less came than was asked for; raises `AnswerMismatch` for money that can't be ours to
    book: more of it, or another currency."""
    if report.currency != payment.currency or not 0 < report.amount <= payment.amount:
        raise AnswerMismatch
    in_part = report.amount < payment.amount
    if in_part and report.status != Status.SUCCEEDED:
        raise AnswerMismatch
    return in_part


def _take_the_place_again(session: Session, payment: Payment) -> bool:
    """Money came for a payment that was given up: true when no other has taken its place."""
    try:
        with session.begin_nested():
            payment.status = Status.SUCCEEDED
            session.flush()
    except IntegrityError:
        session.refresh(payment)
        return False
    return True


def _give_back_at_once(
    session: Session, payment: Payment, amount: Decimal, why: str, now: datetime.datetime
) -> None:
    """Money that pays for nothing is booked and goes back, and the payment has failed for good: in
    any other state its order would count it."""
    payment.superseded = True
    payment.status = Status.FAILED
    payment.failure_code = why
    ledger.capture(session, payment, amount, now)
    refund_store.open_refund(
        session, payment, amount=None, reason=why, key="superseded", by=None,
        now=now, next_check_at=now,
    )  # fmt: skip
