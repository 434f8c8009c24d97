"""What staff see of checkouts under way, and do about one that is stuck.

A checkout is under way while it is `open` or `undoing` (`orders.checkout.store`), or while it is
`paying`: its order waits for the end of a payment (`orders.payment.commands`). The timers end all
of them; one that they should have ended long ago is stuck. Nothing here tells what is bought, or
where it goes.
"""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    DateTime,
    Float,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from chassis import paging, staff
from chassis.errors import Forbidden
from chassis.identity import Actor
from contracts.orders.enums import PaymentStatus, Status
from contracts.orders.errors import CheckoutInTime, PaymentCaptured, PaymentInProgress
from orders import jobs
from orders.checkout import store as checkout_store
from orders.context import Context
from orders.models import Checkout, Order
from orders.order import commands as order_commands
from orders.order import lifecycle, timeline
from orders.order import queries as order_queries
from orders.order.lifecycle import Party
from orders.payment import commands as payment_commands

PAYING, STUCK, OVER = "paying", "stuck", "over"

#: How often its patience a checkout may take until it counts as stuck.
FACTOR = 3

NOW = bindparam("now", type_=DateTime(timezone=True))


def _long_before(patience: str) -> ColumnElement[datetime.datetime]:
    """So long before `:now` that what should have ended within `:<patience>` seconds is stuck."""
    seconds = FACTOR * bindparam(patience, type_=Float)
    return NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)


_CHECKOUT_IS_STUCK = Checkout.started_at <= _long_before("checkout_patience")
#: Free orders have no payment, and only wait for their stock.
_IS_UNPAID = Order.payment_id.is_(None) & (Order.total > 0)
#: A payment without an outcome may take until the time to pay is over.
_PAYMENT_IS_STUCK = case(
    (_IS_UNPAID, func.greatest(Order.paying_since, Order.expires_at)),
    else_=Order.paying_since,
) <= _long_before("payment_patience")


def under_way() -> CompoundSelect:
    """The `state` of each checkout, `since` when it is under way and whether it `is_stuck`; to be
    run with `now` and the two patiences, in seconds."""
    return union_all(
        select(
            Checkout.state,
            Checkout.started_at.label("since"),
            _CHECKOUT_IS_STUCK.label("is_stuck"),
        ),
        select(
            literal(PAYING, Text).label("state"),
            Order.paying_since.label("since"),
            _PAYMENT_IS_STUCK.label("is_stuck"),
        ).where(Order.recheck_at.is_not(None)),
    )


def page(
    context: Context, actor: Actor, state: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """Checkouts under way, the oldest first: `{order_id, user_id, state, since, due_at, attempts,
    reason}`. `due_at` is when a timer takes it up again, `attempts` how often one has, `reason` why
    that was not the end, as far as it is known."""
    _require_staff(actor)
    found = union_all(*_wanted(state)).subquery()
    oldest = paging.Keyset("checkouts", found.c.since, found.c.order_id, ascending=True)
    patience = {name: context.settings[name] for name in ("checkout_patience", "payment_patience")}
    query = select(found).params(now=context.clock(), **patience)
    with context.db.autocommit() as connection:
        rows, following = oldest.page(connection, query, limit, cursor)
    return {"items": [dict(row) for row in rows], "next": following}


def retry(context: Context, order_id: uuid.UUID, actor: Actor) -> dict[str, Any]:
    """Do now what a timer would do when it is due; how the checkout stands then.

    Raises `CheckoutInTime` for one that its buyer may be at, and what the step itself raises.
    """
    _require_staff(actor)
    now = context.clock()
    with context.db.begin() as session:
        checkout = checkout_store.lock(session, order_id)
        if checkout is not None:
            if checkout.state == checkout_store.OPEN and checkout.due_at > now:
                raise CheckoutInTime
            checkout_store.take(session, checkout, now + jobs.UNDO_TIME)
        since = None if checkout else _paying_since(session, order_id)
        if checkout is not None or since is not None:
            staff.tell(context, session, actor, "checkout_retried", "order", order_id)
        if since is not None:
            timeline.add(
                context, session, order_id, timeline.ORDER, "payment_looked_up_by_staff", actor
            )
    if checkout is not None:
        jobs.undo(context, order_id)
    elif since is not None:
        jobs.find_payment(context, order_id, since)
    return _outcome(context, order_id, actor, "checkout_retried")


def undo(context: Context, order_id: uuid.UUID, actor: Actor) -> dict[str, Any]:
    """Give a checkout up: its stock is free, its order, if any, cancelled; how it stands then.

    Raises `PaymentCaptured` when its money has come. A payment that is still undecided is looked
    after on, and given back should it bring money.
    """
    _require_staff(actor)
    with context.db.begin() as session:
        checkout = checkout_store.lock(session, order_id)
        if checkout is not None:
            checkout_store.take(session, checkout, context.clock() + jobs.UNDO_TIME)
            staff.tell(context, session, actor, "checkout_undone", "order", order_id)
        since = None if checkout else _paying_since(session, order_id)
    if checkout is not None:
        jobs.undo(context, order_id)
    elif since is not None:
        _stop_paying(context, order_id, since, actor)
    return _outcome(context, order_id, actor, "checkout_undone")


def _stop_paying(
    context: Context, order_id: uuid.UUID, since: datetime.datetime, actor: Actor
) -> None:
    payments = jobs.payments_of(context, order_id)
    if any(one["status"] in payment_commands.CAPTURED for one in payments):
        raise PaymentCaptured
    with context.db.begin() as session:
        order = order_queries.lock(session, order_id)
        if order.payment_status != PaymentStatus.UNPAID:
            raise PaymentCaptured
        if order.payment_id is not None:
            raise PaymentInProgress
        order_commands.tell_staff(context, session, actor, "checkout_undone", order)
        if order.status == Status.PENDING:
            step = lifecycle.step(
                order.status, order.payment_status, Status.CANCELLED, (Party.STAFF,)
            )
            order_commands.move(context, session, order, step, actor)
    if not any(one["status"] in payment_commands.UNDECIDED for one in payments):
        payment_commands.stop_looking(context, order_id, since)
    else:
        order_commands.stop_payment(context, order_id)


def _wanted(state: str | None) -> list[Select]:
    checkouts = select(
        Checkout.order_id,
        Checkout.user_id,
        Checkout.state,
        Checkout.started_at.label("since"),
        Checkout.due_at,
        Checkout.attempts,
        Checkout.reason,
    )
    paying = select(
        Order.id.label("order_id"),
        Order.user_id,
        literal(PAYING, Text).label("state"),
        Order.paying_since.label("since"),
        Order.recheck_at.label("due_at"),
        null().cast(Integer).label("attempts"),
        case(
            (_IS_UNPAID, literal("outcome_unknown", Text)),
            else_=literal("order_not_finished", Text),
        ).label("reason"),
    ).where(Order.recheck_at.is_not(None))
    if state == PAYING:
        return [paying]
    if state == STUCK:
        return [checkouts.where(_CHECKOUT_IS_STUCK), paying.where(_PAYMENT_IS_STUCK)]
    return [checkouts, paying] if state is None else [checkouts.where(Checkout.state == state)]


def _paying_since(session: Session, order_id: uuid.UUID) -> datetime.datetime | None:
    return session.scalar(select(Order.paying_since).where(Order.id == order_id))


def _outcome(context: Context, order_id: uuid.UUID, actor: Actor, event: str) -> dict[str, Any]:
    with context.db.autocommit() as connection:
        begun = connection.scalar(select(Checkout.state).where(Checkout.order_id == order_id))
        query = select(Order.status, Order.payment_status, Order.paying_since)
        order: Mapping[str, Any] = (
            connection.execute(query.where(Order.id == order_id)).mappings().first() or {}
        )
    state = begun or (PAYING if order.get("paying_since") else OVER)
    context.log.info(event, order_id=str(order_id), state=state, staff=str(actor.user_id))
    return {
        "order_id": order_id,
        "state": state,
        "order_status": order.get("status"),
        "payment_status": order.get("payment_status"),
    }


def _require_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise Forbidden
