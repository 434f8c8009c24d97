"""Money that came, and its way back: asked for once per payment, however often we hear of it."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from contracts.orders.enums import RefundReason, TimelineCause, TimelineKind
from orders.context import Context
from orders.models import Order, Receipt
from orders.order import timeline


class Payment(NamedTuple):
    """A payment whose money has come, all of its amount."""

    id: uuid.UUID
    order_id: uuid.UUID
    amount: Decimal
    currency: str

    @classmethod
    def of_event(cls, payload: Mapping[str, Any]) -> "Payment":
        """From `payment_succeeded`."""
        fields = (payload[name] for name in ("payment_id", "order_id", "amount", "currency"))
        return cls(*fields)

    @classmethod
    def of_answer(cls, payment: Mapping[str, Any]) -> "Payment":
        """From a payment as payments answers it."""
        return cls(*(payment[name] for name in cls._fields))


def request(
    context: Context,
    session: Session,
    payment: Payment,
    reason: RefundReason,
    order_known: bool = True,
) -> None:
    """Have payments return what is left of the payment."""
    row = insert(Receipt.__table__).values(
        payment_id=payment.id, order_id=payment.order_id, return_reason=reason
    )
    first = row.on_conflict_do_update(
        index_elements=["payment_id"],
        set_={"return_reason": reason},
        where=Receipt.return_reason.is_(None),
    ).returning(Receipt.refunded)
    refunded = session.execute(first).scalar()
    if refunded is None or refunded >= payment.amount:
        return
    due = payment.amount - refunded
    if order_known:
        timeline.add(
            context, session, payment.order_id, TimelineKind.PAYMENT, TimelineCause.REFUND_DUE,
            payment_id=payment.id, amount=due, reason=reason,
        )  # fmt: skip
    facts = {"order_id": payment.order_id, "payment_id": payment.id, "amount": due}
    context.events.record(
        session, "refund_due", facts | {"currency": payment.currency, "reason": str(reason)}
    )


def request_for_cancelled(context: Context, session: Session, order: Order) -> None:
    """Have payments return what a cancelled order was paid with, if it was."""
    if order.payment_id is not None:
        payment = Payment(order.payment_id, order.id, order.total, order.currency)
        request(context, session, payment, RefundReason.ORDER_CANCELLED)


def note(session: Session, order_id: uuid.UUID, payment_id: uuid.UUID, total: Decimal) -> Decimal:
    """`total` of a payment has gone back by now; returns the most that was ever reported."""
    row = insert(Receipt).values(payment_id=payment_id, order_id=order_id, refunded=total)
    noted = row.on_conflict_do_update(
        index_elements=[Receipt.payment_id],
        set_={"refunded": func.greatest(Receipt.refunded, row.excluded.refunded)},
    ).returning(Receipt.refunded)
    return session.execute(noted).scalar_one()


def total(session: Session, payment_id: uuid.UUID) -> Decimal:
    """How much of a payment has gone back, as far as we have heard."""
    query = select(Receipt.refunded).where(Receipt.payment_id == payment_id)
    return session.execute(query).scalar() or Decimal(0)
