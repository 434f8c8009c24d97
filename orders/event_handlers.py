"""What other services tell about an order: what it changes, and its line in the timeline.

Events may be late, repeated or out of order; none of them undoes what is newer.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from chassis.events import Event
from contracts.orders.enums import Cause, PaymentStatus, Status, TimelineCause, TimelineKind
from orders.cart import store as cart_store
from orders.context import Context
from orders.fulfilments import transitions as fulfilments
from orders.models import Order
from orders.order import lifecycle, timeline, transitions
from orders.order import queries as order_queries
from orders.order.lifecycle import Party
from orders.payment import refunds


def payment_failed(context: Context, session: Session, payload: Mapping[str, Any]) -> None:
    """A payment came to nothing. The order stays as it is, also when another one has paid it; when
    it waits for the end of a payment, that is looked up soon."""
    _payment_ended(context, session, payload, TimelineCause.PAYMENT_FAILED)


def payment_cancelled(context: Context, session: Session, payload: Mapping[str, Any]) -> None:
    """A payment was cancelled: another means has taken its place, or the order was cancelled."""
    _payment_ended(context, session, payload, TimelineCause.PAYMENT_CANCELLED)


def _payment_ended(
    context: Context, session: Session, payload: Mapping[str, Any], cause: TimelineCause
) -> None:
    order = order_queries.lock(session, payload["order_id"])
    if order is not None:
        if order.recheck_at is not None:
            order.recheck_at = context.clock()
        timeline.add(
            context, session, payload["order_id"], TimelineKind.PAYMENT, cause,
            payment_id=payload["payment_id"], failure_code=payload["failure_code"],
        )  # fmt: skip


def payment_refunded(context: Context, session: Session, payload: Mapping[str, Any]) -> None:
    """Money went back. When that is heard before the payment itself, it counts all the same once
    the order is paid (`orders.payment.finishing`)."""
    order_id, payment_id = payload["order_id"], payload["payment_id"]
    order = order_queries.lock(session, order_id)
    returned = refunds.note(session, payload)
    if order is None:
        return
    timeline.add(
        context, session, order_id, TimelineKind.PAYMENT, TimelineCause.PAYMENT_REFUNDED,
        payment_id=payment_id, amount=payload["amount"], refunded_total=payload["refunded_total"],
    )  # fmt: skip
    status = lifecycle.after_refund(order.total, returned)
    paid = order.payment_id == payment_id and order.payment_status != PaymentStatus.UNPAID
    if paid and order.payment_status != status:
        order.payment_status = status
        transitions.touch(context, order)


def refund_failed(context: Context, session: Session, payload: Mapping[str, Any]) -> None:
    """The provider refused money that we asked back: what comes later can ask for it again, or
    staff give it by hand."""
    order = order_queries.lock(session, payload["order_id"])
    is_new = refunds.note_failed(session, payload["request_id"], context.clock())
    if is_new and order is not None:
        timeline.add(
            context, session, order.id, TimelineKind.PAYMENT, TimelineCause.REFUND_FAILED,
            request_id=payload["request_id"], payment_id=payload["payment_id"],
            amount=payload["amount"], failure_code=payload["failure_code"],
        )  # fmt: skip


def stock_lost(context: Context, session: Session, payload: Mapping[str, Any]) -> None:
    """Inventory heard too late that the order is paid: it is cancelled, and its money goes back.
    What has been shipped stays so, and its stock has to be counted."""
    order = order_queries.lock(session, payload["order_id"])
    if order is None or order.status == Status.CANCELLED:
        return
    if order.status != Status.PROCESSING:
        context.log.warning("shipped_without_stock", order_id=str(order.id), number=order.number)
        return
    step = lifecycle.step(
        order.status, order.payment_status, Status.CANCELLED, (Party.SYSTEM,), Cause.OUT_OF_STOCK
    )
    fulfilments.cancel(context, session, order, step)
    refunds.request_for_cancelled(context, session, order)


def account_recovered(context: Context, session: Session, event: Event) -> None:
    """The owner of an address took over an account that somebody else had made with it: what that
    one has put into the cart goes, and the time of the unpaid orders is over, which cancels them
    unless a payment is under way. What came after the event is the owner's."""
    user_id, now = event.payload["user_id"], context.clock()
    cart_store.forget(session, user_id, event.occurred_at, now)
    theirs = (Order.user_id == user_id, Order.created_at <= event.occurred_at)
    over = update(Order).where(*theirs, Order.status == Status.PENDING)
    session.execute(
        over.values(
            expires_at=func.least(Order.expires_at, now),
            version=Order.version + 1,
            updated_at=now,
        )
    )
