"""Paying an order, and the one way in which a payment that succeeded finishes it.

    claim     the order is marked with the payment, and can't be cancelled meanwhile   transaction
    commit    its reserved stock is taken                      RPC, idempotent by the order's id
    conclude  paid and processing; or cancelled, and the money goes back               transaction

`pay`, the event `payment_succeeded` and the recovery sweep all come here, at the same time or one
after a crash of the other: each step looks at what is there, so the second one changes nothing.
"""

import datetime
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis import idempotency
from chassis.errors import Conflict, Invalid, NotFound
from chassis.identity import Actor, Role
from contracts.inventory.errors import OutOfStock, ReservationReleased
from contracts.orders.enums import Cause, PaymentStatus, Status
from contracts.orders.errors import AlreadyPaid, InvalidTransition, NothingToPay
from orders import schemas
from orders.context import Context
from orders.models import Order, RequestKey
from orders.order import commands as order_commands
from orders.order import lifecycle, timeline
from orders.order import queries as order_queries
from orders.order.lifecycle import Party
from orders.payment import refund_requests

#: States of a payment whose money has come, and of one that may still bring it.
CAPTURED = ("succeeded", "partially_refunded", "refunded")
UNDECIDED = ("pending", "requires_action")

_PAYMENT = schemas.Payment()

#: Opens the transaction of the last step: `db.begin`, or `db.once` of an event.
Begin = Callable[[], AbstractContextManager[Session]]


def pay(
    context: Context, order_id: uuid.UUID, method: Any, key: str | None, actor: Actor
) -> dict[str, Any]:
    """Charge an order by `method`; the payment, as payments answers it, and whether it is a repeat.

    Once the money has come the payment is the answer, even if the order could not be finished at
    once: the event or the sweep will do it.
    """
    asked = idempotency.fingerprint(order_id=order_id, method=method)
    order, since, claim, refusal = _begin(context, order_id, key, asked, actor)
    if refusal is not None:
        return _made_before(context, order, str(claim.resource_id), refusal) | {"replayed": True}
    payment = _charge(context, order, method, str(claim.resource_id))
    try:
        if payment["status"] in CAPTURED:
            finish(context, news_of(_PAYMENT.load(payment)))
        elif payment["status"] not in UNDECIDED:
            stop_looking(context, order_id, since)
        elif is_cancelled(context, order_id):
            # It was cancelled meanwhile, when there was no payment to be cancelled yet.
            order_commands.stop_payment(context, order_id)
            payment = _made_before(context, order, str(claim.resource_id), AlreadyPaid())
    except Exception as error:
        context.log.warning("finish_postponed", order_id=str(order_id), error=type(error).__name__)
    return payment | {"replayed": not claim.is_new}


def news_of(payment: Mapping[str, Any]) -> dict[str, Any]:
    """A payment (`schemas.Payment`) in the shape of its event."""
    return {**payment, "payment_id": payment["id"]}


def finish(context: Context, news: Mapping[str, Any], begin: Begin | None = None) -> None:
    """Finish the order whose money has come; `news`: payment_id, order_id, amount, currency.

    Raises what a call or the database raises; then nothing is concluded, and it may be repeated.
    """
    in_stock = _claim(context, news) and _commit_stock(context, news["order_id"])
    with (begin or context.db.begin)() as session:
        _conclude(context, session, news, in_stock)


def finish_free(context: Context, order_id: uuid.UUID) -> None:
    """Finish an order that costs nothing as one whose money has come, without a payment.

    Raises what a call or the database raises; then nothing is concluded, and it may be repeated.
    """
    in_stock = not is_cancelled(context, order_id) and _commit_stock(context, order_id)
    with context.db.begin() as session:
        order = order_queries.lock(session, order_id)
        order.paying_since = order.recheck_at = None
        if order.status != Status.PENDING:
            return
        if in_stock:
            timeline.add(context, session, order.id, timeline.STOCK, "committed")
            order.payment_status = PaymentStatus.PAID
        order_commands.move(context, session, order, _paid_step(in_stock))


def is_free(context: Context, order_id: uuid.UUID) -> bool:
    """Whether the order costs nothing."""
    with context.db.autocommit() as connection:
        return connection.scalar(select(Order.total).where(Order.id == order_id)) == 0


def stop_looking(context: Context, order_id: uuid.UUID, since: datetime.datetime | None) -> None:
    """The payment that was begun at `since` has come to nothing; a later one is left alone."""
    mine = (Order.id == order_id, Order.paying_since == since, Order.payment_id.is_(None))
    with context.db.begin() as session:
        session.execute(update(Order).where(*mine).values(paying_since=None, recheck_at=None))


def is_cancelled(context: Context, order_id: uuid.UUID) -> bool:
    """Whether nothing is to be paid for any more."""
    with context.db.autocommit() as connection:
        status = connection.scalar(select(Order.status).where(Order.id == order_id))
    return status == Status.CANCELLED


class _Begun(NamedTuple):
    """The order, since when it is being paid by this request, and what its key stands for: our own
    key towards payments. None for a repeat beside a payment that is under way: another one's, it
    may be. `refusal`: why a repeat must not charge, whatever came of the first request."""

    order: Order
    since: datetime.datetime | None
    claim: idempotency.Claim
    refusal: Conflict | None = None


def _begin(
    context: Context, order_id: uuid.UUID, key: str | None, asked: str, actor: Actor
) -> _Begun:
    """Note that a payment is being made, so that a crash from here on is found.

    A repeat is let through to payments even when the order has been paid since. Raises what
    `_why_not_payable` says of anything else.
    """
    now = context.clock()
    with context.db.begin() as session:
        order = order_queries.lock_visible(session, order_id, actor)
        claim = idempotency.claim(session, RequestKey, actor.user_id, "pay", key, asked, now)
        if not claim.is_new and order.payment_id is not None:
            return _Begun(order, None, claim)
        refusal = _why_not_payable(order, now)
        if refusal is not None and claim.is_new:
            raise refusal
        if refusal is None and (claim.is_new or order.paying_since is None):
            _look_later(context, order, now)
            return _Begun(order, now, claim)
        return _Begun(order, None, claim, refusal)


def _made_before(context: Context, order: Order, key: str, refusal: Conflict) -> dict[str, Any]:
    """The payment that an earlier request made under `key`, as it is now. Raises `refusal` when
    that request broke off before there was one."""
    buyer = Actor(order.user_id, Role.CUSTOMER).to_wire()
    found = context.payments.list(order_id=order.id, key=key, limit=1, actor=buyer)["items"]
    if not found:
        raise refusal
    return found[0]


def _charge(context: Context, order: Order, method: Any, key: str) -> dict[str, Any]:
    """The payment. During an upgrade a payments process of the release before may refuse the number
    of the order, before it does anything; then it is asked without."""
    charge = partial(
        context.payments.charge,
        order_id=order.id,
        user_id=order.user_id,
        amount=order.total,
        currency=order.currency,
        method=method,
        key=key,
    )
    try:
        return charge(order_number=order.number)
    except Invalid as fault:
        if "order_number" not in fault.errors:
            raise
        return charge()


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


def _look_later(context: Context, order: Order, now: datetime.datetime) -> None:
    order.paying_since = now
    order.recheck_at = now + datetime.timedelta(seconds=context.settings["payment_recheck"])


def _claim(context: Context, news: Mapping[str, Any]) -> bool:
    """Mark the order with its payment. False when that leads nowhere; `_conclude` knows why."""
    with context.db.begin() as session:
        order = order_queries.lock(session, news["order_id"])
        if order is None or order.status != Status.PENDING or _why_not(order, news):
            return False
        order.payment_id = news["payment_id"]
        if order.paying_since is None:
            _look_later(context, order, context.clock())
        return True


def _why_not(order: Order, news: Mapping[str, Any]) -> str | None:
    """Why this money does not pay this order, if so."""
    if order.payment_id not in (None, news["payment_id"]):
        return "paid_twice"
    if (order.total, order.currency) != (news["amount"], news["currency"]):
        return "amount_mismatch"
    return None


def _commit_stock(context: Context, order_id: uuid.UUID) -> bool:
    try:
        context.inventory.commit(order_id=order_id)
    except (OutOfStock, ReservationReleased, NotFound):
        return False
    return True


def _conclude(context: Context, session: Session, news: Mapping[str, Any], in_stock: bool) -> None:
    order = order_queries.lock(session, news["order_id"])
    reason = "unknown_order" if order is None else _why_not(order, news)
    if reason is not None:
        _give_back(context, session, news, reason, order_known=order is not None)
        return
    if order.payment_status == PaymentStatus.UNPAID:
        _book(context, session, order, news, in_stock)
    if order.status == Status.CANCELLED:
        _give_back(context, session, news, "order_cancelled")


def _book(
    context: Context, session: Session, order: Order, news: Mapping[str, Any], in_stock: bool
) -> None:
    """The money is there. Whatever of it has gone back before we came to this is not forgotten."""
    payment_id = news["payment_id"]
    timeline.add(
        context, session, order.id, timeline.PAYMENT, "payment_succeeded",
        payment_id=payment_id, amount=news["amount"],
    )  # fmt: skip
    step = None
    if order.status == Status.PENDING:
        step = _paid_step(in_stock)
    if in_stock:
        timeline.add(context, session, order.id, timeline.STOCK, "committed")
    returned = refund_requests.refunded(session, payment_id)
    order.payment_id = payment_id
    order.payment_status = lifecycle.after_refund(order.total, returned)
    order.paying_since = order.recheck_at = None
    if step is not None:
        order_commands.move(context, session, order, step)
    else:
        order_commands.touch(context, order)


def _paid_step(in_stock: bool) -> lifecycle.Transition:
    target, cause = (
        (Status.PROCESSING, Cause.PAID) if in_stock else (Status.CANCELLED, Cause.OUT_OF_STOCK)
    )
    return lifecycle.step(Status.PENDING, PaymentStatus.UNPAID, target, (Party.SYSTEM,), cause)


def _give_back(
    context: Context,
    session: Session,
    news: Mapping[str, Any],
    reason: str,
    order_known: bool = True,
) -> None:
    refund_requests.give_back(
        context,
        session,
        order_id=news["order_id"],
        payment_id=news["payment_id"],
        amount=news["amount"],
        currency=news["currency"],
        reason=reason,
        order_known=order_known,
    )
