"""The books: every transaction of money, and the totals on its payment, in one step.

All arithmetic is done by the database on the current row, so that its constraint (never more
given back or promised than was taken) holds even for a caller who forgot to lock the payment. What
most payments come to, `charges.store.capture_whole` books in the same way.
"""

import datetime
import uuid
from decimal import Decimal

from sqlalchemy.orm import Session

from payments.models import LedgerEntry, Payment, Refund
from payments.providers.port import Kind, ProviderTransaction

#: The accounts: money that lies with the provider, that belongs to orders, that a bank disputes.
#: (debit, credit) of each kind of entry.
ACCOUNTS = {
    Kind.CAPTURE: ("provider", "order"),
    Kind.REFUND: ("order", "provider"),
    Kind.DISPUTE: ("disputed", "provider"),
    Kind.DISPUTE_REVERSED: ("provider", "disputed"),
}


def capture(session: Session, payment: Payment, amount: Decimal, now: datetime.datetime) -> None:
    """Book that `amount` was taken: what `payment` asked for, or less."""
    _move(session, payment, captured=amount)
    _enter(session, payment, Kind.CAPTURE, amount, payment.provider_reference, now)


def reserve(session: Session, payment: Payment, amount: Decimal) -> None:
    """Promise `amount` to a refund, so that no other can have it."""
    _move(session, payment, refunding=amount)


def release(session: Session, payment: Payment, refund: Refund) -> None:
    """Take the promise to `refund` back: it failed."""
    _move(session, payment, refunding=-refund.amount)


def give_back(session: Session, payment: Payment, refund: Refund, now: datetime.datetime) -> None:
    """Book that the promised amount of `refund` was given back."""
    _move(session, payment, refunding=-refund.amount, refunded=refund.amount)
    _enter(
        session,
        payment,
        Kind.REFUND,
        refund.amount,
        refund.provider_reference,
        now,
        refund_id=refund.id,
    )


def dispute(
    session: Session, payment: Payment, transaction: ProviderTransaction, now: datetime.datetime
) -> None:
    """Book what the buyer's bank took back, or gave us again. The order's own account keeps what
    was paid: whose money it is will be decided elsewhere."""
    _enter(session, payment, transaction.kind, transaction.amount, transaction.reference, now)
    session.flush()


def _move(session: Session, payment: Payment, **changes: Decimal) -> None:
    """By one statement, with what else has changed of `payment`."""
    for name, change in changes.items():
        setattr(payment, name, getattr(Payment, name) + change)
    session.flush()


def _enter(
    session: Session,
    payment: Payment,
    kind: Kind,
    amount: Decimal,
    reference: str | None,
    now: datetime.datetime,
    refund_id: uuid.UUID | None = None,
) -> None:
    debit, credit = ACCOUNTS[kind]
    session.add(
        LedgerEntry(
            payment_id=payment.id,
            refund_id=refund_id,
            order_id=payment.order_id,
            kind=kind,
            debit=debit,
            credit=credit,
            amount=amount,
            currency=payment.currency,
            provider=payment.provider,
            provider_reference=reference,
            at=now,
        )
    )
