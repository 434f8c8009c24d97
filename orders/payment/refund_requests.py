"""Money that came, and its way back: asked for once per payment, however often we hear of it."""

import uuid
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from orders.context import Context
from orders.models import Receipt
from orders.order import timeline


def give_back(
    context: Context,
    session: Session,
    *,
    order_id: uuid.UUID,
    payment_id: uuid.UUID,
    amount: Decimal,
    currency: str,
    reason: str,
    order_known: bool = True,
) -> None:
    """Have payments return what is left of `amount`, the whole of a payment."""
    row = insert(Receipt).values(payment_id=payment_id, order_id=order_id, return_reason=reason)
    first = row.on_conflict_do_update(
        index_elements=[Receipt.payment_id],
        set_={"return_reason": reason},
        where=Receipt.return_reason.is_(None),
    ).returning(Receipt.refunded)
    refunded = session.execute(first).scalar()
    if refunded is None or refunded >= amount:
        return
    due = amount - refunded
    if order_known:
        timeline.add(
            context, session, order_id, timeline.PAYMENT, "refund_due",
            payment_id=payment_id, amount=due, reason=reason,
        )  # fmt: skip
    facts = {"order_id": order_id, "payment_id": payment_id, "amount": due, "currency": currency}
    context.events.record(session, "refund_due", facts | {"reason": str(reason)})


def note_refunded(
    session: Session, order_id: uuid.UUID, payment_id: uuid.UUID, total: Decimal
) -> Decimal:
    """`total` of a payment has gone back by now; returns the most that was ever reported."""
    row = insert(Receipt).values(payment_id=payment_id, order_id=order_id, refunded=total)
    noted = row.on_conflict_do_update(
        index_elements=[Receipt.payment_id],
        set_={"refunded": func.greatest(Receipt.refunded, row.excluded.refunded)},
    ).returning(Receipt.refunded)
    return session.execute(noted).scalar_one()


def refunded(session: Session, payment_id: uuid.UUID) -> Decimal:
    """How much of a payment has gone back, as far as we have heard."""
    query = select(Receipt.refunded).where(Receipt.payment_id == payment_id)
    return session.execute(query).scalar() or Decimal(0)
