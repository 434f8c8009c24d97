"""Recovery: what time has run out for, and what a crash has left half-done.

Instances share the work: each takes rows that no other holds (`SKIP LOCKED`) and moves them on
before it asks anybody, so that no transaction is open during a call.
"""

import datetime
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis import idempotency, outages
from contracts.orders.enums import Cause, PaymentStatus, Status
from orders import schemas
from orders.checkout import commands as checkout_commands
from orders.checkout import store as checkout_store
from orders.context import Context
from orders.models import Order, RequestKey
from orders.order import commands as order_commands
from orders.order import lifecycle
from orders.order import queries as order_queries
from orders.order.lifecycle import Party
from orders.payment import commands as payment_commands

#: Rows in one transaction, and in one round of a timer.
BATCH = 50

#: How long one instance has for a checkout before another one tries to undo it.
UNDO_TIME = datetime.timedelta(seconds=10)

#: A page of payments.list, newest first: what may still bring money is always among the newest.
NEWEST = 100

_PAYMENTS = schemas.Payments()


def expire(context: Context) -> None:
    """Cancel the unpaid orders whose time is over; their stock is freed by the event."""
    while _expire_batch(context) == BATCH:
        pass


def undo_checkouts(context: Context) -> None:
    """Give back what abandoned checkouts, and those that stand still, have reserved."""
    now = context.clock()
    with context.db.begin() as session:
        taken = checkout_store.take_stale(session, now, now + UNDO_TIME, BATCH)
    _each(context, "undo", taken, lambda order_id: undo(context, order_id))


def undo(context: Context, order_id: uuid.UUID) -> None:
    """Undo an abandoned checkout; one that could not be undone keeps why, and raises it."""
    try:
        checkout_commands.undo(context, order_id)
    except Exception as error:
        with context.db.begin() as session:
            checkout_store.note_failure(
                session, order_id, getattr(error, "code", type(error).__name__)
            )
        raise


def forget_keys(context: Context) -> None:
    """Drop the keys of requests that are a day old."""
    now = context.clock()
    idempotency.forget(context.db.begin, RequestKey, now)
    freed = idempotency.BATCH
    while freed == idempotency.BATCH:
        with context.db.begin() as session:
            freed = checkout_store.forget_keys(session, now)


def find_payments(context: Context) -> None:
    """Ask for the end of payments that we have not heard of, and finish the orders they paid."""
    with context.db.begin() as session:
        taken = _take_paying(context, session)
    _each(context, "find_payment", taken, lambda order: find_payment(context, *order))


def find_payment(context: Context, order_id: uuid.UUID, since: datetime.datetime) -> None:
    """Ask for the end of the payment that was begun at `since`, and finish the order it paid; one
    that costs nothing is finished without."""
    if payment_commands.is_free(context, order_id):
        payment_commands.finish_free(context, order_id)
        return
    payments = payments_of(context, order_id)
    captured = [one for one in payments if one["status"] in payment_commands.CAPTURED]
    if captured:
        # The newest: an older one with money is one that came late and that payments gives back.
        payment_commands.finish(context, payment_commands.news_of(captured[0]))
    elif not any(one["status"] in payment_commands.UNDECIDED for one in payments):
        payment_commands.stop_looking(context, order_id, since)
    elif payment_commands.is_cancelled(context, order_id):
        order_commands.stop_payment(context, order_id)


def payments_of(context: Context, order_id: uuid.UUID) -> list[dict[str, Any]]:
    """The newest payments of an order (`schemas.Payment`), as payments shows them to its buyer."""
    with context.db.autocommit() as connection:
        buyer = order_queries.buyer(connection, order_id)
    found = context.payments.list(order_id=order_id, limit=NEWEST, actor=buyer.to_wire())
    return _PAYMENTS.load(found)["items"]


def _expire_batch(context: Context) -> int:
    now = context.clock()
    patience = datetime.timedelta(seconds=context.settings["payment_patience"])
    quiet = or_(Order.paying_since.is_(None), Order.paying_since <= now - patience)
    due = (
        select(Order)
        .where(
            Order.status == Status.PENDING,
            Order.total > 0,
            Order.expires_at <= now,
            Order.payment_id.is_(None),
            quiet,
        )
        .order_by(Order.expires_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    step = lifecycle.step(
        Status.PENDING, PaymentStatus.UNPAID, Status.CANCELLED, (Party.SYSTEM,), Cause.EXPIRED
    )
    with context.db.begin() as session:
        orders = session.scalars(due).all()
        for order in orders:
            order_commands.move(context, session, order, step)
        return len(orders)


def _take_paying(context: Context, session: Session) -> list[tuple[uuid.UUID, datetime.datetime]]:
    """Orders to look after, and since when they are being paid. The pause until the next look grows
    with that time, so an unfinished payment is asked for often at first, and rarely later."""
    now = context.clock()
    pause = datetime.timedelta(seconds=context.settings["payment_recheck"])
    due = (
        select(Order)
        .where(Order.recheck_at <= now)
        .order_by(Order.recheck_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    orders = session.scalars(due).all()
    for order in orders:
        order.recheck_at = now + max(pause, now - order.paying_since)
    return [(order.id, order.paying_since) for order in orders]


def _each(context: Context, what: str, taken: Iterable[Any], do: Callable[[Any], None]) -> None:
    """What fails with one does not touch the others: it comes up again at its next time."""
    for one in taken:
        try:
            do(one)
        except Exception as error:
            if not outages.is_logged(error):
                context.log.warning("recovery_postponed", what=what, error=type(error).__name__)
