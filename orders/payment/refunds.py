"""Money that came, and its way back: asked for once per cause, however often we hear of it, and
never more than is left of the payment.

What is left is what was paid, less what was asked for before (unless the provider refused it) and
what went back by hand. A refund by hand may be on its way here while we ask: payments knows of it,
and gives back the rest.
"""

import datetime
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from contracts.orders.enums import RefundReason, TimelineCause, TimelineKind
from orders.context import Context
from orders.models import Order, Receipt, RefundRequest
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

    @classmethod
    def of_order(cls, order: Order) -> "Payment | None":
        """That which has paid an order; None for one that is unpaid, or costs nothing."""
        if order.payment_id is None:
            return None
        return cls(order.payment_id, order.id, order.total, order.currency)


def request_refund(
    context: Context,
    session: Session,
    payment: Payment,
    cause: str,
    amount: Decimal | None = None,
    *,
    order_known: bool = True,
) -> Decimal:
    """Have payments return `amount` (None: all) of the payment, or what is left of it; how much
    that is. A repeat for the same cause changes nothing, and answers what the first one did.

    `cause`: a `RefundReason`, with the id of what it is for where there may be several:
    `cancel_items:<id>`, `return:<id>:<seq>`.
    """
    with session.no_autoflush:  # what the caller has changed is written with what follows
        receipt = _lock(session, payment)
        left = max(payment.amount - receipt.requested - receipt.by_hand, Decimal(0))
        due = left if amount is None else min(amount, left)
        request_id = _enter(session, payment, cause, due, context.clock())
        if request_id is None:
            same = RefundRequest.payment_id == payment.id, RefundRequest.cause == cause
            return session.execute(select(RefundRequest.amount).where(*same)).scalar_one()
    if due:
        _tell(context, session, payment, request_id, cause, due, order_known)
    return due


def request_for_cancelled(context: Context, session: Session, order: Order) -> None:
    """Have payments return what a cancelled order was paid with, if it was."""
    if (payment := Payment.of_order(order)) is not None:
        request_refund(context, session, payment, RefundReason.ORDER_CANCELLED)


def _lock(session: Session, payment: Payment) -> Receipt:
    """The receipt of a payment, locked: what is asked of one payment is asked one after another."""
    row = insert(Receipt).values(
        payment_id=payment.id, order_id=payment.order_id, paid=payment.amount
    )
    locked = row.on_conflict_do_update(
        index_elements=[Receipt.payment_id], set_={"paid": row.excluded.paid}
    ).returning(Receipt)
    return session.scalars(locked, execution_options={"populate_existing": True}).one()


def _enter(
    session: Session, payment: Payment, cause: str, due: Decimal, now: datetime.datetime
) -> uuid.UUID | None:
    """The id of a new request, counted in the receipt; None when there is one for this cause."""
    row = insert(RefundRequest).values(
        id=uuid.uuid4(),
        payment_id=payment.id,
        order_id=payment.order_id,
        cause=cause,
        amount=due,
        requested_at=now,
    )
    new = RefundRequest.id, RefundRequest.payment_id, RefundRequest.amount
    made = row.on_conflict_do_nothing().returning(*new).cte("made")
    counted = update(Receipt).where(Receipt.payment_id == made.c.payment_id)
    return session.scalar(
        counted.values(requested=Receipt.requested + made.c.amount).returning(made.c.id),
        execution_options={"synchronize_session": False},
    )


def _tell(
    context: Context,
    session: Session,
    payment: Payment,
    request_id: uuid.UUID,
    cause: str,
    due: Decimal,
    order_known: bool,
) -> None:
    reason = cause.partition(":")[0]
    if order_known:
        timeline.add(
            context, session, payment.order_id, TimelineKind.PAYMENT, TimelineCause.REFUND_DUE,
            request_id=request_id, payment_id=payment.id, amount=due, reason=reason,
        )  # fmt: skip
    facts = {
        "request_id": request_id,
        "order_id": payment.order_id,
        "payment_id": payment.id,
        "amount": due,
        "currency": payment.currency,
        "reason": reason,
    }
    context.events.record(session, "refund_due", facts)


def note(session: Session, refund: Mapping[str, Any]) -> Decimal:
    """Money has gone back (`payment_refunded`); returns the most that was ever reported.

    What we have not asked for was given back by hand. Each event is noted once, in any order.
    """
    is_requested = refund["reason"] in set(RefundReason)
    row = insert(Receipt).values(
        payment_id=refund["payment_id"],
        order_id=refund["order_id"],
        by_hand=Decimal(0) if is_requested else refund["amount"],
        refunded=refund["refunded_total"],
    )
    noted = row.on_conflict_do_update(
        index_elements=[Receipt.payment_id],
        set_={
            "by_hand": Receipt.by_hand + row.excluded.by_hand,
            "refunded": func.greatest(Receipt.refunded, row.excluded.refunded),
        },
    ).returning(Receipt.refunded)
    return session.execute(noted).scalar_one()


def note_failed(session: Session, request_id: uuid.UUID, now: datetime.datetime) -> bool:
    """Nothing goes back for this request (`refund_failed`): its amount is left to be asked for.
    False, and nothing is noted, when we do not know the request, or know that it has failed."""
    mine = RefundRequest.id == request_id, RefundRequest.failed_at.is_(None)
    failed = (
        update(RefundRequest)
        .where(*mine)
        .values(failed_at=now)
        .returning(RefundRequest.payment_id, RefundRequest.amount)
        .cte("failed")
    )
    uncounted = update(Receipt).where(Receipt.payment_id == failed.c.payment_id)
    noted = session.scalar(
        uncounted.values(requested=Receipt.requested - failed.c.amount).returning(
            Receipt.payment_id
        ),
        execution_options={"synchronize_session": False},
    )
    return noted is not None


def total(session: Session, payment_id: uuid.UUID) -> Decimal:
    """How much of a payment has gone back, as far as we have heard."""
    query = select(Receipt.refunded).where(Receipt.payment_id == payment_id)
    return session.execute(query).scalar() or Decimal(0)
