"""Paying an order.

    start     the order notes that it is being paid; who may not pay it stops here    transaction
    charge    payments takes the money                     RPC, idempotent by the payment's key
    finish    the order is paid (`orders.payment.finishing`)

A payment whose end we have not heard of is looked up by the sweep (`orders.jobs`).
"""

import datetime
import uuid
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import select, update

from chassis import idempotency, outages
from chassis.database import finds
from chassis.errors import Conflict, Fault, Invalid
from chassis.identity import Actor, Role
from chassis.messages import Json
from chassis.steps import Step
from contracts.orders.enums import Status
from contracts.orders.errors import InvalidTransition, NothingToPay
from contracts.payments import answers
from contracts.payments import enums as payments
from contracts.payments.errors import AlreadyPaid
from orders.context import Context
from orders.models import Order, RequestKey
from orders.order import queries as order_queries
from orders.payment import finishing
from orders.payment.refunds import Payment

#: Where a crash is tested.
STARTED = Step("orders.payment.started")
CHARGED = Step("orders.payment.charged")

#: A page of payments.list, newest first: what may still bring money is always among the newest.
NEWEST = 100

_PAYMENT, _PAYMENTS = answers.Payment(), answers.PaymentPage()


def pay(
    context: Context, order_id: uuid.UUID, method: dict[str, str], key: str | None, actor: Actor
) -> Json:
    """Charge an order by `method`; the payment, as payments answers it, and whether it is a repeat.

    Once the money has come the payment is the answer, even if the order could not be finished at
    once: the event or the sweep will do it.
    """
    fingerprint = idempotency.fingerprint(order_id=order_id, method=method)
    started = _start(context, order_id, key, fingerprint, actor)
    order, payment_key = started.order, str(started.claim.resource_id)
    if started.refusal is not None:
        return _made_before(context, order, payment_key, started.refusal) | {"replayed": True}
    payment = _charge(context, order, method, payment_key)
    CHARGED.reached()
    try:
        if payment["status"] in payments.CAPTURED:
            finishing.finish(context, Payment.of_answer(payment), order=order)
        elif payment["status"] not in payments.OPEN:
            stop_looking(context, order_id, started.since)
        elif _is_cancelled(context, order_id):
            # It was cancelled meanwhile, when there was no payment to be cancelled yet.
            cancel_payment(context, order_id)
            payment = _made_before(context, order, payment_key, AlreadyPaid())
    except Exception as error:
        context.log.warning("finish_postponed", order_id=str(order_id), error=type(error).__name__)
    return payment | {"replayed": not started.claim.is_new}


class _Started(NamedTuple):
    """The order, since when it is being paid by this request, and what its key stands for: our own
    key towards payments. None for a repeat beside a payment that is under way: another one's, it
    may be. `refusal`: why a repeat must not charge, whatever came of the first request."""

    order: Order
    since: datetime.datetime | None
    claim: idempotency.Claim
    refusal: Conflict | None = None


def _start(
    context: Context, order_id: uuid.UUID, key: str | None, fingerprint: str, actor: Actor
) -> _Started:
    """Note that a payment is being made, so that a crash from here on is found.

    A repeat is let through to payments even when the order has been paid since. Raises what
    `_why_not_payable` says of anything else.
    """
    now, since = context.clock(), None
    with context.db.begin() as session:
        order = order_queries.lock_visible(session, order_id, actor)
        claim = idempotency.claim(session, RequestKey, actor.user_id, "pay", key, fingerprint, now)
        refusal = _why_not_payable(order, now)
        if not claim.is_new and order.payment_id is not None:
            refusal = None
        elif refusal is not None and claim.is_new:
            raise refusal
        elif refusal is None and (claim.is_new or order.paying_since is None):
            since = now
            finishing.look_later(context, order, now)
    STARTED.reached()
    return _Started(order, since, claim, refusal)


def _why_not_payable(order: Order, now: datetime.datetime) -> Conflict | None:
    if not order.total:
        return NothingToPay()
    if order.payment_id is not None:
        return AlreadyPaid()
    state = {"order_status": order.status, "payment_status": order.payment_status}
    if order.status != Status.PENDING:
        return InvalidTransition(f"A {order.status} order cannot be paid.", **state)
    if order.expires_at <= now:
        return InvalidTransition("The time to pay this order is over.", **state)
    return None


def _charge(context: Context, order: Order, method: dict[str, str], key: str) -> dict[str, Any]:
    """The payment that is made under `key`. During an upgrade a payments process of the release
    before may refuse the number of the order, before it does anything; then it is asked without."""
    ask = partial(
        context.payments.charge,
        order_id=order.id,
        user_id=order.user_id,
        amount=order.total,
        currency=order.currency,
        method=method,
        key=key,
    )
    try:
        return _PAYMENT.load(ask(order_number=order.number))
    except Invalid as fault:
        if "order_number" not in fault.errors:
            raise
        return _PAYMENT.load(ask())


def _made_before(context: Context, order: Order, key: str, refusal: Conflict) -> dict[str, Any]:
    """The payment that an earlier request made under `key`, as it is now. Raises `refusal` when
    that request broke off before there was one."""
    buyer = Actor(order.user_id, Role.CUSTOMER)
    found = context.payments.list(order_id=order.id, key=key, limit=1, actor=buyer)
    for payment in _PAYMENTS.load(found)["items"]:
        return payment
    raise refusal


def take_due(context: Context, limit: int) -> list[tuple[uuid.UUID, datetime.datetime]]:
    """Orders whose payment is to be looked up, and since when they are being paid. The pause until
    the next look grows with that time, so an unfinished payment is asked for often at first, and
    rarely later."""
    now = context.clock()
    pause = datetime.timedelta(seconds=context.settings["payment_recheck"])
    due = (
        select(Order)
        .where(Order.recheck_at <= now)
        .order_by(Order.recheck_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if not finds(context.db, due):
        return []
    taken = []
    with context.db.begin() as session:
        for order in session.scalars(due):
            since = order.paying_since or now  # which a constraint rules out
            order.recheck_at = now + max(pause, now - since)
            taken.append((order.id, since))
    return taken


def look_up(context: Context, order_id: uuid.UUID, since: datetime.datetime) -> None:
    """Ask for the end of the payment that was started at `since`, and finish the order it paid; one
    that costs nothing is finished without."""
    with context.db.autocommit() as connection:
        total = connection.scalar(select(Order.total).where(Order.id == order_id))
    if total == 0:
        finishing.finish_free(context, order_id)
        return
    found = payments_of(context, order_id)
    captured = [one for one in found if one["status"] in payments.CAPTURED]
    if captured:
        # The newest: an older one with money is one that came late and that payments gives back.
        finishing.finish(context, Payment.of_answer(captured[0]))
    elif not any(one["status"] in payments.OPEN for one in found):
        stop_looking(context, order_id, since)
    elif _is_cancelled(context, order_id):
        cancel_payment(context, order_id)


def payments_of(context: Context, order_id: uuid.UUID) -> list[dict[str, Any]]:
    """The payments of an order, as its buyer sees them, the newest first."""
    with context.db.autocommit() as connection:
        buyer = order_queries.buyer(connection, order_id)
    found = context.payments.list(order_id=order_id, limit=NEWEST, actor=buyer)
    return _PAYMENTS.load(found)["items"]


def cancel_payment(context: Context, order_id: uuid.UUID) -> None:
    """Have the payment of a cancelled order that may still wait for its buyer cancelled; what does
    not come to that now is left to `orders.jobs`."""
    try:
        context.payments.cancel(order_id=order_id, actor=Actor.SYSTEM)
    except Fault as fault:
        if not outages.is_logged(fault):
            context.log.warning("payment_cancelled_later", order_id=str(order_id), code=fault.code)


def stop_looking(context: Context, order_id: uuid.UUID, since: datetime.datetime | None) -> None:
    """The payment that was started at `since` has come to nothing; a later one is left alone."""
    mine = (Order.id == order_id, Order.paying_since == since, Order.payment_id.is_(None))
    with context.db.begin() as session:
        session.execute(update(Order).where(*mine).values(paying_since=None, recheck_at=None))


def _is_cancelled(context: Context, order_id: uuid.UUID) -> bool:
    """Whether nothing is to be paid for any more."""
    with context.db.autocommit() as connection:
        status = connection.scalar(select(Order.status).where(Order.id == order_id))
    return status == Status.CANCELLED
