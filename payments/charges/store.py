"""The rows of charges: payments that are opened, found again, cancelled and followed."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.currencies import zero
from chassis.events import outbox
from chassis.idempotency import KeyReused
from chassis.json_rows import as_json, with_documents
from contracts.payments.enums import OPEN, FailureCode, Status
from contracts.payments.errors import AlreadyPaid, PaymentActive
from payments import checks
from payments.ledger.store import ACCOUNTS
from payments.models import Payment
from payments.providers import keys
from payments.providers.port import Kind, KnownCharge, Provider
from payments.views import SHOWN, PaymentView

_INSERT = insert(Payment).on_conflict_do_nothing().returning(*SHOWN)

_DEBIT, _CREDIT = ACCOUNTS[Kind.CAPTURE]
_CAPTURE = with_documents(
    f"""
    WITH taken AS (
        UPDATE payments SET status = '{Status.SUCCEEDED}', captured = amount, action_url = NULL,
            provider_reference = coalesce(:reference, provider_reference), failure_code = NULL
        WHERE id = :id AND status IN ('{Status.PENDING}', '{Status.REQUIRES_ACTION}')
            AND captured = 0 AND cancel_reason IS NULL
        RETURNING *
    ),
    entered AS (
        INSERT INTO ledger_entries (payment_id, order_id, kind, debit, credit, amount, currency,
            provider, provider_reference, at)
        SELECT id, order_id, '{Kind.CAPTURE}', '{_DEBIT}', '{_CREDIT}', amount, currency,
            provider, provider_reference, :now FROM taken
    ),
    recorded AS ({outbox.RECORDING} WHERE EXISTS (SELECT FROM taken))
    SELECT {", ".join(column.key for column in SHOWN)} FROM taken
    """,  # noqa: S608  (names of ours)
    "events",
).columns(*(Payment.__table__.c[column.key] for column in SHOWN))


class NextCall(Enum):
    """What is left to do with a payment that was opened, or found again by its key."""

    CREATE = "nobody has asked the provider yet"
    RESUME = "someone may have asked, and is gone"
    NONE = "decided, or somebody else is at it"


def known(payment: PaymentView) -> KnownCharge:
    """The charge of a payment by our key and, once told, the provider's reference."""
    return KnownCharge(keys.key_of(keys.PAYMENT, payment["id"]), payment["provider_reference"])


def insert_payment(
    connection: Connection,
    wanted: Mapping[str, Any],
    provider: Provider,
    now: datetime.datetime,
    calling_until: datetime.datetime,
) -> PaymentView | None:
    """A `pending` payment with what is `wanted`; None when another one is in its place: of the same
    key, or one that holds the order. Of two at once the second waits here for the first."""
    new = {
        **wanted,
        "id": uuid.uuid4(),
        "provider": provider.name,
        "test_mode": provider.test_mode,
        "status": Status.PENDING,
        **dict.fromkeys(("captured", "refunding", "refunded"), zero(wanted["currency"])),
        "created_at": now,
        "calling_until": calling_until,
        "next_check_at": calling_until,
    }
    return connection.execute(_INSERT, new).mappings().one_or_none()


def resume(
    session: Session,
    wanted: Mapping[str, Any],
    now: datetime.datetime,
    calling_until: datetime.datetime,
) -> tuple[Payment, NextCall]:
    """The payment that is there for (order_id, key), and what is left to do.

    Raises `PaymentActive` or `AlreadyPaid` when another payment holds the order, and `KeyReused`.
    """
    same_key = select(Payment).filter_by(order_id=wanted["order_id"], key=wanted["key"])
    payment = session.scalars(same_key.with_for_update()).one_or_none()
    if payment is None:
        raise _blocked(session, wanted["order_id"])
    if (payment.amount, payment.currency) != (wanted["amount"], wanted["currency"]):
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


def note_reference(connection: Connection, payment_id: uuid.UUID, reference: str) -> bool:
    """Store what the provider calls it; whether it is still to be charged."""
    noted = (
        update(Payment)
        .where(Payment.id == payment_id)
        .values(
            provider_reference=reference,
            return_reference=func.coalesce(Payment.return_reference, reference),
        )
        .returning(Payment.status, Payment.cancel_reason)
    )
    return tuple(connection.execute(noted).one()) == (Status.PENDING, None)


def capture_whole(
    connection: Connection,
    payment_id: uuid.UUID,
    reference: str | None,
    event: Mapping[str, Any],
    now: datetime.datetime,
) -> PaymentView | None:
    """Book that all of an open payment was taken, with the ledger's entry and the outbox row of
    `event`; None when it is not open any more, or to be cancelled."""
    values = {"id": payment_id, "reference": reference, "now": now, "events": as_json([event])}
    return connection.execute(_CAPTURE, values).mappings().one_or_none()


def take_due(connection: Connection, now: datetime.datetime, limit: int) -> Sequence[PaymentView]:
    """Open payments whose check is due and that no other instance holds, with `calling_until`;
    their next check is set before the provider is asked."""
    due = checks.due(Payment.id, Payment.status.in_(OPEN), Payment.next_check_at, now, limit)
    checked = Payment.checks + 1
    taken = (
        update(Payment)
        .where(Payment.id == due.c.id)
        .values(checks=checked, next_check_at=checks.next_check(checked, now))
        .returning(*SHOWN, Payment.calling_until)
    )
    return connection.execute(taken).mappings().all()
