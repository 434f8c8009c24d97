"""The rows of charges: payments that are opened, found again, cancelled and followed."""

import datetime
import uuid
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.idempotency import KeyReused
from contracts.payments.enums import OPEN, FailureCode, Status
from contracts.payments.errors import AlreadyPaid, PaymentActive
from payments.checks import postpone
from payments.models import Payment
from payments.providers import keys
from payments.providers.port import KnownCharge


class NextCall(Enum):
    """What is left to do with a payment that was opened, or found again by its key."""

    CREATE = "nobody has asked the provider yet"
    RESUME = "someone may have asked, and is gone"
    NONE = "decided, or somebody else is at it"


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """A payment that is not decided yet; outlives the session it was read in."""

    id: uuid.UUID
    provider: str
    known: KnownCharge
    amount: Decimal
    currency: str
    created_at: datetime.datetime
    calling_until: datetime.datetime
    cancel_reason: str | None


def known(payment: Payment) -> KnownCharge:
    """The charge as the provider knows it."""
    return known_by(payment.id, payment.provider_reference)


def known_by(payment_id: uuid.UUID, reference: str | None) -> KnownCharge:
    """The charge of a payment by our key and, once told, the provider's reference."""
    return KnownCharge(keys.key_of(keys.PAYMENT, payment_id), reference)


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
) -> tuple[Payment, NextCall]:
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
        return session.get_one(Payment, made), NextCall.CREATE
    same_key = select(Payment).where(Payment.order_id == order_id, Payment.key == key)
    payment = session.scalars(same_key.with_for_update()).one_or_none()
    if payment is None:
        raise _blocked(session, order_id)
    if (payment.amount, payment.currency) != (amount, currency):
        raise KeyReused(errors={"key": ["Used for another amount."]})
    if payment.status != Status.PENDING or payment.cancel_reason or payment.calling_until > now:
        return payment, NextCall.NONE
    payment.calling_until = payment.next_check_at = calling_until
    return payment, NextCall.RESUME


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
    payment: Payment, reason: FailureCode, now: datetime.datetime, calling_until: datetime.datetime
) -> bool:
    """Note that an open, locked payment is to be cancelled; whether the provider may be asked for
    that now, which is over by `calling_until`.

    One that somebody is just charging may bring its money at this moment: nothing takes its place,
    and for an order that was cancelled it is noted for later.
    """
    is_being_charged = payment.status == Status.PENDING and payment.calling_until > now
    if reason == FailureCode.ORDER_CANCELLED or not is_being_charged:
        payment.cancel_reason = reason
    if is_being_charged:
        return False
    payment.action_url = None
    payment.calling_until = payment.next_check_at = calling_until
    return True


def leave_unknown(session: Session, payment_id: uuid.UUID, now: datetime.datetime) -> Payment:
    """The provider did not answer: nobody is calling any more, and the sweep may ask soon."""
    payment = session.get_one(Payment, payment_id, with_for_update=True)
    if payment.status == Status.PENDING:
        payment.calling_until = now
        payment.next_check_at = now + datetime.timedelta(seconds=1)
    return payment


def take_due(session: Session, now: datetime.datetime, limit: int) -> list[OpenPayment]:
    """Open payments whose check is due and that no other instance holds; their next check is set
    before the provider is asked."""
    due = (
        select(Payment)
        .where(Payment.status.in_(OPEN), Payment.next_check_at <= now)
        .order_by(Payment.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_taken(payment, now) for payment in session.scalars(due)]


def _taken(payment: Payment, now: datetime.datetime) -> OpenPayment:
    postpone(payment, now)
    return OpenPayment(
        payment.id,
        payment.provider,
        known(payment),
        payment.amount,
        payment.currency,
        payment.created_at,
        payment.calling_until,
        payment.cancel_reason,
    )
