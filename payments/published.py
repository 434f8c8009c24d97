"""What payments publishes (`contracts.payments.events`), in the transaction that decides it."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from chassis.messages import Json
from payments.context import Context
from payments.models import Payment, Refund
from payments.views import PaymentView, shown


def succeeded(context: Context, payment: PaymentView) -> Json:
    """The row of the event that the whole amount was taken, for the statement that takes it."""
    return context.events.event("payment_succeeded", _facts(payment))


def record_succeeded(context: Context, session: Session, payment: Payment) -> None:
    """The whole amount was taken."""
    context.events.record(session, "payment_succeeded", _facts(shown(payment)))


def record_failed(context: Context, session: Session, payment: Payment) -> None:
    """Nothing was taken, or it is on its way back."""
    facts = {**_facts(shown(payment)), "failure_code": payment.failure_code}
    context.events.record(session, "payment_failed", facts)


def record_cancelled(context: Context, session: Session, payment: Payment) -> None:
    """Nothing was taken, nor will be: another means took its place, or its order was cancelled."""
    facts = {**_facts(shown(payment)), "failure_code": payment.failure_code}
    context.events.record(session, "payment_cancelled", facts)


def record_refunded(context: Context, session: Session, payment: Payment, refund: Refund) -> None:
    """The amount of `refund` was given back."""
    facts = {
        **_facts(shown(payment)),
        "amount": refund.amount,
        "refunded_total": payment.refunded,
        "full": payment.refunded == payment.captured,
        # What a member of staff writes is for our own books.
        "reason": refund.reason if refund.requested_by is None else None,
    }
    context.events.record(session, "payment_refunded", facts)


def record_refund_failed(
    context: Context, session: Session, payment: Payment, refund: Refund, request_id: uuid.UUID
) -> None:
    """Nothing was given back for a request of orders."""
    facts = {
        "request_id": request_id,
        "order_id": payment.order_id,
        "payment_id": payment.id,
        "amount": refund.amount,
        "currency": payment.currency,
        "failure_code": refund.failure_code,
    }
    context.events.record(session, "refund_failed", facts)


def _facts(payment: PaymentView) -> dict[str, Any]:
    told = ("order_id", "order_number", "user_id", "amount", "currency")
    return {"payment_id": payment["id"], **{name: payment[name] for name in told}}
