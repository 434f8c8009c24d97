"""The one way in which a payment that succeeded finishes its order.

    conclude  paid and processing; or cancelled, and the money goes back              transaction

Inventory hears of a paid order by its event `order_paid`, and then holds its stock for good, until
it is shipped. When the hold may end first, that comes before the order is paid:

    attach    the order is marked with the payment, and can't be cancelled meanwhile  transaction
    commit    its reserved stock is held for good          RPC, idempotent by the order's id
    conclude

`pay`, the event `payment_succeeded` and the recovery sweep come here, at the same time or one after
a crash of the other: each step looks at what is there, so the second one changes nothing. Mostly
the order is as `pay` has just read it, and is concluded by one statement; all else is decided under
its lock. Should the event come too late in spite of all, and the stock be gone, inventory tells
`stock_lost`: the order is cancelled, and the money goes back.
"""

import datetime
import uuid
from collections.abc import Callable
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.database import Begin
from chassis.errors import NotFound
from chassis.steps import Step
from contracts.inventory.errors import OutOfStock, ReservationReleased
from contracts.orders.enums import (
    Cause,
    PaymentStatus,
    RefundReason,
    Status,
    TimelineCause,
    TimelineKind,
)
from orders.context import Context
from orders.fulfilments import transitions as fulfilments
from orders.models import Order
from orders.order import lifecycle, timeline, transitions
from orders.order import queries as order_queries
from orders.order.lifecycle import Party
from orders.payment import refunds, store
from orders.payment.refunds import Payment

#: Where a crash is tested.
ATTACHED = Step("orders.payment.attached")
COMMITTED = Step("orders.payment.committed")
CONCLUDED = Step("orders.payment.concluded")

#: A hold that lasts so long is not over before inventory hears of the payment by the event: that is
#: tried again for a quarter of an hour (`chassis.events.handler`), after which an operator has it.
SETTLED_WITHIN = datetime.timedelta(days=1)

_step_to = partial(lifecycle.step, Status.PENDING, PaymentStatus.UNPAID, by=(Party.SYSTEM,))
_PAID = _step_to(Status.PROCESSING, cause=Cause.PAID)
_LOST = _step_to(Status.CANCELLED, cause=Cause.OUT_OF_STOCK)


def look_later(context: Context, order: Order, now: datetime.datetime) -> None:
    """Note that the order is being paid, and when the sweep asks for the end of that."""
    order.paying_since = now
    order.recheck_at = now + datetime.timedelta(seconds=context.settings["payment_recheck"])


def finish(
    context: Context, payment: Payment, begin: Begin | None = None, order: Order | None = None
) -> None:
    """Finish the order whose money has come; `order` as the caller has just read it, if so.

    Raises what a call or the database raises; then nothing is concluded, and it may be repeated.
    """
    if order is not None and _conclude_at_once(context, payment, order):
        return
    _finish(
        begin or context.db.begin,
        partial(_conclude, context, payment),
        lambda: _attach(context, payment) and _commit_stock(context, payment.order_id),
    )


def finish_free(context: Context, order_id: uuid.UUID) -> None:
    """`finish`, for an order that costs nothing and has no payment."""
    _finish(
        context.db.begin,
        partial(_conclude_free, context, order_id),
        partial(_commit_stock, context, order_id),
    )


class _MayBeLost(Exception):
    """The hold on the stock may end before inventory hears that the order is paid."""


def _finish(
    begin: Begin, conclude: Callable[[Session, bool | None], None], hold_stock: Callable[[], bool]
) -> None:
    """`conclude` at once where the hold lasts, else once the stock is held for good."""
    try:
        with begin() as session:
            conclude(session, None)
    except _MayBeLost:
        in_stock = hold_stock()
        with begin() as session:
            conclude(session, in_stock)
    CONCLUDED.reached()


def _attach(context: Context, payment: Payment) -> bool:
    """Mark the order with its payment. False when that leads nowhere; `_conclude` knows why."""
    with context.db.begin() as session:
        order = order_queries.lock(session, payment.order_id)
        if order is None or order.status != Status.PENDING or _why_not(order, payment):
            return False
        order.payment_id = payment.id
        if order.paying_since is None:
            look_later(context, order, context.clock())
    ATTACHED.reached()
    return True


def _why_not(order: Order, payment: Payment) -> RefundReason | None:
    """Why this money does not pay this order, if so."""
    if order.payment_id not in (None, payment.id):
        return RefundReason.PAID_TWICE
    if (order.total, order.currency) != (payment.amount, payment.currency):
        return RefundReason.AMOUNT_MISMATCH
    return None


def _commit_stock(context: Context, order_id: uuid.UUID) -> bool:
    """Whether the stock is the order's for good."""
    try:
        context.inventory.commit(order_id=order_id)
    except (OutOfStock, ReservationReleased, NotFound):
        return False
    COMMITTED.reached()
    return True


def _conclude_at_once(context: Context, payment: Payment, order: Order) -> bool:
    """The usual case, by one statement: the whole total, and a hold that lasts. False when it is
    otherwise, or the order has changed."""
    if _why_not(order, payment) or not _hold_lasts(context, order):
        return False
    now = context.clock()
    entry = partial(timeline.entry, order.id, now, trace_id=context.trace_id)
    entries = [
        entry(
            TimelineKind.PAYMENT, TimelineCause.PAYMENT_SUCCEEDED,
            payment_id=payment.id, amount=payment.amount,
        ),
        entry(TimelineKind.STOCK, TimelineCause.STOCK_COMMITTED),
        entry(TimelineKind.ORDER, _PAID.cause, before=_PAID.source, after=_PAID.target),
    ]  # fmt: skip
    facts = order_queries.facts(order, _PAID.cause) | {"version": order.version + 1}
    event = context.events.event("order_paid", facts)
    with context.db.autocommit() as connection:
        is_concluded = store.conclude(connection, order, payment, entries, event, now)
    if is_concluded:
        CONCLUDED.reached()
        context.events.hand_over(event)
        context.log.info("order_paid", order_id=str(order.id), cause=str(_PAID.cause), staff=None)
    return is_concluded


def _conclude(context: Context, payment: Payment, session: Session, in_stock: bool | None) -> None:
    if _is_concluded(session, payment):
        return
    order = order_queries.lock(session, payment.order_id)
    if order is None:
        cause = RefundReason.UNKNOWN_ORDER
        refunds.request_refund(context, session, payment, cause, order_known=False)
        return
    if (why_not := _why_not(order, payment)) is not None:
        refunds.request_refund(context, session, payment, why_not)
        return
    if order.payment_status == PaymentStatus.UNPAID:
        _mark_paid(context, session, order, payment, in_stock)
    if order.status == Status.CANCELLED:
        refunds.request_refund(context, session, payment, RefundReason.ORDER_CANCELLED)


def _is_concluded(session: Session, payment: Payment) -> bool:
    """Whether all is done; asked first, for it needs no lock."""
    mine = (Order.id == payment.order_id, Order.payment_id == payment.id)
    is_kept = (Order.payment_status != PaymentStatus.UNPAID, Order.status != Status.CANCELLED)
    return session.scalar(select(Order.id).where(*mine, *is_kept)) is not None


def _mark_paid(
    context: Context, session: Session, order: Order, payment: Payment, in_stock: bool | None
) -> None:
    """The money is there. Whatever of it has gone back before we came to this is not forgotten."""
    is_pending = order.status == Status.PENDING
    in_stock = is_pending and _has_stock(context, order, in_stock)
    # Read before anything is changed, so that one statement writes all that is.
    order.payment_status = lifecycle.after_refund(order.total, refunds.total(session, payment.id))
    order.payment_id = payment.id
    order.paying_since = order.recheck_at = None
    timeline.add(
        context, session, order.id, TimelineKind.PAYMENT, TimelineCause.PAYMENT_SUCCEEDED,
        payment_id=payment.id, amount=payment.amount,
    )  # fmt: skip
    if is_pending:
        _leave_pending(context, session, order, in_stock)
    else:
        transitions.touch(context, order)


def _conclude_free(
    context: Context, order_id: uuid.UUID, session: Session, in_stock: bool | None
) -> None:
    order = order_queries.lock(session, order_id)
    if order is None:
        raise NotFound("There is no such order.")
    is_pending = order.status == Status.PENDING
    in_stock = is_pending and _has_stock(context, order, in_stock)
    order.paying_since = order.recheck_at = None
    if in_stock:
        order.payment_status = PaymentStatus.PAID
    if is_pending:
        _leave_pending(context, session, order, in_stock)


def _has_stock(context: Context, order: Order, in_stock: bool | None) -> bool:
    """Whether the stock is the order's, where it is not known yet by the hold; raises `_MayBeLost`
    when that does not last for long enough."""
    if in_stock is None:
        if not _hold_lasts(context, order):
            raise _MayBeLost
        return True
    return in_stock


def _hold_lasts(context: Context, order: Order) -> bool:
    settled_by = context.clock() + SETTLED_WITHIN
    return order.held_until is not None and order.held_until >= settled_by


def _leave_pending(context: Context, session: Session, order: Order, in_stock: bool) -> None:
    if in_stock:
        timeline.add(context, session, order.id, TimelineKind.STOCK, TimelineCause.STOCK_COMMITTED)
        transitions.move(context, session, order, _PAID)
    else:
        fulfilments.cancel(context, session, order, _LOST)
