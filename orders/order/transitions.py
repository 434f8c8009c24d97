"""How a locked order takes a step: its state, version, timeline and event together."""

import datetime

from sqlalchemy.orm import Session

from chassis import staff
from chassis.identity import Actor
from contracts.orders.enums import Status, TimelineCause, TimelineKind
from contracts.users.enums import Action, Target
from orders.context import Context
from orders.models import Order
from orders.order import queries, timeline
from orders.order.lifecycle import Transition


def move(
    context: Context,
    session: Session,
    order: Order,
    step: Transition,
    actor: Actor = Actor.SYSTEM,
) -> None:
    """Take `step` with the locked order."""
    order.status = step.target
    if step.target == Status.CANCELLED:
        order.cancel_reason = order.cancel_reason or step.cause
        _look_after_payment(context, order)
    touch(context, order)
    timeline.add(
        context, session, order.id, TimelineKind.ORDER, step.cause, actor,
        before=step.source, after=step.target,
    )  # fmt: skip
    if step.target == Status.CANCELLED:
        timeline.add(context, session, order.id, TimelineKind.STOCK, TimelineCause.STOCK_RELEASED)
    if step.event is not None:
        context.events.record(session, step.event, queries.facts(order, step.cause))
    if step.action is not None:
        moved = {"old": step.source, "new": step.target}
        tell_staff(context, session, actor, step.action, order, **moved)
    # The timeline names roles; which member of staff it was is for operators only.
    by = str(actor.user_id) if actor.user_id and actor.is_staff else None
    context.log.info(
        step.event or "order_status_changed",
        order_id=str(order.id), status=str(step.target), cause=str(step.cause), staff=by,
    )  # fmt: skip


def touch(context: Context, order: Order) -> None:
    """What is shown of the order has changed."""
    order.version += 1
    order.updated_at = context.clock()


def tell_staff(
    context: Context, session: Session, actor: Actor, action: Action, order: Order, **detail: str
) -> None:
    """Have the audit trail tell of it, if it was somebody of the staff."""
    detail = {name: str(value) for name, value in detail.items()}
    staff.tell(context, session, actor, action, Target.ORDER, order.id, order.user_id, **detail)


def _look_after_payment(context: Context, order: Order) -> None:
    """A payment that is under way is cancelled soon, though not while it may be just begun."""
    if order.paying_since is not None and order.recheck_at is not None:
        soon = max(
            context.clock(),
            order.paying_since + datetime.timedelta(seconds=context.settings["payment_recheck"]),
        )
        order.recheck_at = min(order.recheck_at, soon)
