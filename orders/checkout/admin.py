"""What staff do about a checkout that is stuck, or that its buyer has given up."""

import datetime
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import staff
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_staff
from contracts.orders.enums import CheckoutState, PaymentStatus, Status, TimelineCause, TimelineKind
from contracts.orders.errors import CheckoutInTime, PaymentCaptured, PaymentInProgress
from contracts.payments import enums as payments
from contracts.users.enums import Action, Target
from orders.checkout import commands, queries, store
from orders.context import Context
from orders.fulfilments import transitions as fulfilments
from orders.models import Order
from orders.order import lifecycle, timeline, transitions
from orders.order import queries as order_queries
from orders.order.lifecycle import Party
from orders.payment import commands as payment_commands


def retry(context: Context, order_id: uuid.UUID, actor: Actor) -> Json:
    """Do now what a timer would do when it is due; how the checkout stands then.

    Raises `CheckoutInTime` for one that its buyer may be at, and what the step itself raises.
    """
    require_staff(actor)
    now = context.clock()
    with context.db.begin() as session:
        checkout = store.lock(session, order_id)
        if checkout is not None:
            if checkout.state == CheckoutState.OPEN and checkout.due_at > now:
                raise CheckoutInTime
            store.abandon_locked(checkout, now)
        since = None if checkout else _paying_since(session, order_id)
        if checkout is not None or since is not None:
            staff.tell(context, session, actor, Action.CHECKOUT_RETRIED, Target.ORDER, order_id)
        if since is not None:
            what = TimelineKind.ORDER, TimelineCause.PAYMENT_LOOKED_UP
            timeline.add(context, session, order_id, *what, actor)
    if checkout is not None:
        commands.release(context, order_id)
    elif since is not None:
        payment_commands.look_up(context, order_id, since)
    return _outcome(context, order_id, actor, Action.CHECKOUT_RETRIED)


def undo(context: Context, order_id: uuid.UUID, actor: Actor) -> Json:
    """Give a checkout up: its stock is free, its order, if any, cancelled; how it stands then.

    Raises `PaymentCaptured` when its money has come. A payment that is still undecided is looked
    after on, and given back should it bring money.
    """
    require_staff(actor)
    with context.db.begin() as session:
        checkout = store.lock(session, order_id)
        if checkout is not None:
            store.abandon_locked(checkout, context.clock())
            staff.tell(context, session, actor, Action.CHECKOUT_UNDONE, Target.ORDER, order_id)
        since = None if checkout else _paying_since(session, order_id)
    if checkout is not None:
        commands.release(context, order_id)
    elif since is not None:
        _stop_paying(context, order_id, since, actor)
    return _outcome(context, order_id, actor, Action.CHECKOUT_UNDONE)


def _stop_paying(
    context: Context, order_id: uuid.UUID, since: datetime.datetime, actor: Actor
) -> None:
    statuses = {payment["status"] for payment in payment_commands.payments_of(context, order_id)}
    if statuses & set(payments.CAPTURED):
        raise PaymentCaptured
    with context.db.begin() as session:
        order = order_queries.lock(session, order_id)
        if order is None or order.payment_status != PaymentStatus.UNPAID:
            raise PaymentCaptured
        if order.payment_id is not None:
            raise PaymentInProgress
        transitions.tell_staff(context, session, actor, Action.CHECKOUT_UNDONE, order)
        if order.status == Status.PENDING:
            step = lifecycle.step(
                order.status, order.payment_status, Status.CANCELLED, (Party.STAFF,)
            )
            fulfilments.cancel(context, session, order, step, actor)
    if statuses & set(payments.OPEN):
        payment_commands.cancel_payment(context, order_id)
    else:
        payment_commands.stop_looking(context, order_id, since)


def _paying_since(session: Session, order_id: uuid.UUID) -> datetime.datetime | None:
    return session.scalar(select(Order.paying_since).where(Order.id == order_id))


def _outcome(context: Context, order_id: uuid.UUID, actor: Actor, action: Action) -> dict[str, Any]:
    outcome = queries.outcome(context, order_id)
    context.log.info(
        str(action), order_id=str(order_id), state=outcome["state"], staff=str(actor.user_id)
    )
    return outcome
