"""Changes of an order: each one transaction with its timeline entry and its event."""

import datetime
import uuid
from typing import Any

from sqlalchemy.orm import Session

from chassis import outages, staff
from chassis.errors import Fault, Forbidden, PreconditionFailed
from chassis.identity import Actor
from contracts.orders.enums import PaymentStatus, Status
from contracts.orders.errors import InvalidTransition, PaymentInProgress
from orders.context import Context
from orders.models import Order
from orders.order import lifecycle, timeline
from orders.order import queries as order_queries
from orders.order.lifecycle import Party, Transition
from orders.payment import refund_requests


def cancel(
    context: Context, order_id: uuid.UUID, reason: str | None, actor: Actor
) -> dict[str, Any]:
    """Cancel an order that is not shipped; stock and money go back. Raises `PaymentInProgress`
    while money for it is being booked."""
    with context.db.begin() as session:
        order = order_queries.lock_visible(session, order_id, actor)
        _advance(context, session, order, Status.CANCELLED, actor, reason)
        is_being_paid = _is_being_paid(order)
        cancelled = order_queries.get(session, order_id, actor)
    if is_being_paid:
        stop_payment(context, order_id)
    return cancelled


def stop_payment(context: Context, order_id: uuid.UUID) -> None:
    """Have the payment of a cancelled order that may still wait for its buyer cancelled; what does
    not come to that now is left to `orders.jobs`."""
    try:
        context.payments.cancel(order_id=order_id, actor=Actor.SYSTEM.to_wire())
    except Fault as fault:
        if not outages.is_logged(fault):
            context.log.warning("payment_cancelled_later", order_id=str(order_id), code=fault.code)


def update(
    context: Context,
    order_id: uuid.UUID,
    actor: Actor,
    shipping_address: dict[str, Any] | None,
    status: str | None,
    version: int | None,
) -> dict[str, Any]:
    """Another address while pending, or (staff) the next status; `version` is the one that the
    caller knows. Raises `PreconditionFailed`, `Forbidden`, `InvalidTransition`."""
    with context.db.begin() as session:
        order = order_queries.lock_visible(session, order_id, actor)
        if version is not None and version != order.version:
            raise PreconditionFailed
        if shipping_address is not None:
            _readdress(context, session, order, shipping_address, actor)
        if status is not None:
            if not actor.is_staff:
                raise Forbidden
            _advance(context, session, order, status, actor)
        is_over = status == Status.CANCELLED and _is_being_paid(order)
        changed = order_queries.get(session, order_id, actor)
    if is_over:
        stop_payment(context, order_id)
    return changed


def hide(context: Context, order_id: uuid.UUID, actor: Actor) -> None:
    """Take a finished order out of everybody's sight; its books stay."""
    if not actor.is_admin:
        raise Forbidden
    with context.db.begin() as session:
        order = order_queries.lock_visible(session, order_id, actor)
        if order.status not in lifecycle.FINISHED:
            raise InvalidTransition(
                "Only a delivered or cancelled order can be hidden.",
                order_status=order.status,
                payment_status=order.payment_status,
            )
        order.hidden_at = context.clock()
        timeline.add(context, session, order.id, timeline.ORDER, "hidden", actor)
        tell_staff(context, session, actor, "order_hidden", order)


def move(
    context: Context,
    session: Session,
    order: Order,
    step: Transition,
    actor: Actor = Actor.SYSTEM,
) -> None:
    """Take `step` with the locked order: its state, version, timeline and event together."""
    order.status = step.target
    if step.target == Status.CANCELLED:
        order.cancel_reason = order.cancel_reason or step.cause
        _look_after_payment(context, order)
    touch(context, order)
    timeline.add(
        context, session, order.id, timeline.ORDER, step.cause, actor,
        before=step.source, after=step.target,
    )  # fmt: skip
    if step.target == Status.CANCELLED:
        timeline.add(context, session, order.id, timeline.STOCK, "release_requested")
    context.events.record(session, step.event, order_queries.facts(order, step.cause))
    tell_staff(context, session, actor, step.event, order, old=step.source, new=step.target)
    # The timeline names roles; which member of staff it was is for operators only.
    by = str(actor.user_id) if actor.user_id and actor.is_staff else None
    context.log.info(step.event, order_id=str(order.id), cause=str(step.cause), staff=by)


def tell_staff(
    context: Context, session: Session, actor: Actor, action: str, order: Order, **detail: str
) -> None:
    """Have the audit trail tell of it, if it was somebody of the staff."""
    detail = {name: str(value) for name, value in detail.items()}
    staff.tell(context, session, actor, action, "order", order.id, order.user_id, **detail)


def touch(context: Context, order: Order) -> None:
    """What is shown of the order has changed."""
    order.version += 1
    order.updated_at = context.clock()


def _look_after_payment(context: Context, order: Order) -> None:
    """A payment that is under way is cancelled soon, though not while it may be just begun."""
    if order.paying_since is not None:
        pause = datetime.timedelta(seconds=context.settings["payment_recheck"])
        soon = max(context.clock(), order.paying_since + pause)
        order.recheck_at = min(order.recheck_at, soon)


def _advance(
    context: Context,
    session: Session,
    order: Order,
    target: str,
    actor: Actor,
    reason: str | None = None,
) -> None:
    step = lifecycle.step(order.status, order.payment_status, target, _parties(order, actor))
    if order.payment_id is not None and order.payment_status == PaymentStatus.UNPAID:
        raise PaymentInProgress
    order.cancel_reason = reason
    move(context, session, order, step, actor)
    if step.target == Status.CANCELLED and order.payment_id is not None:
        refund_requests.give_back(
            context,
            session,
            order_id=order.id,
            payment_id=order.payment_id,
            amount=order.total,
            currency=order.currency,
            reason="order_cancelled",
        )


def _readdress(
    context: Context, session: Session, order: Order, address: dict[str, Any], actor: Actor
) -> None:
    if order.status != Status.PENDING:
        raise InvalidTransition(
            "The address can be changed while the order is pending.",
            order_status=order.status,
            payment_status=order.payment_status,
        )
    order.shipping_address = address
    touch(context, order)
    timeline.add(context, session, order.id, timeline.ORDER, "address_changed", actor)
    tell_staff(context, session, actor, "order_address_changed", order)


def _is_being_paid(order: Order) -> bool:
    """Whether a payment may still wait for its buyer; a free order waits for its stock alone."""
    return order.paying_since is not None and order.total > 0


def _parties(order: Order, actor: Actor) -> set[Party]:
    """What `actor` is to this order; the system, when it is asked by RPC, acts as staff."""
    parties = {Party.STAFF} if actor.is_staff else set()
    return parties | {Party.OWNER} if actor.user_id == order.user_id else parties
