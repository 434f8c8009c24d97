"""What people and time do to an order: each one transaction with its timeline entry and event."""

import datetime
import uuid
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis.database import finds
from chassis.errors import PreconditionFailed
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_admin, require_staff
from chassis.steps import Step
from contracts.orders.enums import (
    Cause,
    PaymentStatus,
    Status,
    TimelineCause,
    TimelineKind,
)
from contracts.orders.errors import AddressChangesPrice, InvalidTransition, PaymentInProgress
from contracts.users.enums import Action
from orders.context import Context
from orders.fulfilments import allocation
from orders.fulfilments import transitions as fulfilments
from orders.fulfilments.allocation import Allocated
from orders.models import Order
from orders.order import lifecycle, queries, timeline, transitions
from orders.order.lifecycle import Party
from orders.payment import commands as payment_commands
from orders.payment import refunds
from orders.terms import store as terms
from orders.terms.rules import are_alike

#: Where a crash is tested.
CANCELLED = Step("orders.order.cancelled")
EXPIRED = Step("orders.order.expired")

_EXPIRE = lifecycle.step(
    Status.PENDING, PaymentStatus.UNPAID, Status.CANCELLED, (Party.SYSTEM,), Cause.EXPIRED
)


def cancel(context: Context, order_id: uuid.UUID, reason: str | None, actor: Actor) -> Json:
    """Cancel an order that is not shipped; stock and money go back. Raises `PaymentInProgress`
    while money for it is being booked."""
    with context.db.begin() as session:
        order = queries.lock_visible(session, order_id, actor)
        cancel_locked(context, session, order, reason, actor)
        is_being_paid = _is_being_paid(order)
        cancelled = queries.view_of(session, order)
    _end_cancelling(context, order_id, is_being_paid)
    return cancelled


def update(
    context: Context,
    order_id: uuid.UUID,
    actor: Actor,
    shipping_address: dict[str, Any] | None,
    status: str | None,
    version: int | None,
) -> Json:
    """Another address while pending, or (staff) the next status: `shipped` sends all that is left,
    `delivered` is for all its parcels; `version` is the one that the caller knows. Raises
    `PreconditionFailed`, `Forbidden`, `InvalidTransition`, and `AddressChangesPrice`, when shipping
    or tax is another there."""
    ships = status == Status.SHIPPED and actor.is_staff
    allocated = allocation.ask(context, order_id) if ships else []
    with context.db.begin() as session:
        order = queries.lock_visible(session, order_id, actor)
        if version is not None and version != order.version:
            raise PreconditionFailed
        if shipping_address is not None:
            _readdress(context, session, order, shipping_address, actor)
        if status is not None:
            require_staff(actor)
            _advance(context, session, order, status, allocated, actor)
        is_being_paid = _is_being_paid(order)
        changed = queries.view_of(session, order)
    if status == Status.CANCELLED:
        _end_cancelling(context, order_id, is_being_paid)
    return changed


def hide(context: Context, order_id: uuid.UUID, actor: Actor) -> None:
    """Take a finished order out of everybody's sight; its books stay."""
    require_admin(actor)
    with context.db.begin() as session:
        order = queries.lock_visible(session, order_id, actor)
        if order.status not in lifecycle.FINISHED:
            raise InvalidTransition(
                "Only a delivered or cancelled order can be hidden.",
                order_status=order.status,
                payment_status=order.payment_status,
            )
        order.hidden_at = context.clock()
        timeline.add(context, session, order.id, TimelineKind.ORDER, TimelineCause.HIDDEN, actor)
        transitions.tell_staff(context, session, actor, Action.ORDER_HIDDEN, order)


def expire(context: Context, limit: int) -> int:
    """Cancel up to `limit` unpaid orders whose time is over; how many were. Their stock is freed by
    the event."""
    now = context.clock()
    patience = datetime.timedelta(seconds=context.settings["payment_patience"])
    is_not_being_paid = or_(Order.paying_since.is_(None), Order.paying_since <= now - patience)
    due = (
        select(Order)
        .where(
            Order.status == Status.PENDING,
            Order.total > 0,
            Order.expires_at <= now,
            Order.payment_id.is_(None),
            is_not_being_paid,
        )
        .order_by(Order.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if not finds(context.db, due):
        return 0
    with context.db.begin() as session:
        orders = session.scalars(due).all()
        for order in orders:
            fulfilments.cancel(context, session, order, _EXPIRE)
    if orders:
        EXPIRED.reached()
    return len(orders)


def cancel_locked(
    context: Context, session: Session, order: Order, reason: str | None, actor: Actor
) -> None:
    """Cancel a locked order whole; its stock is freed by the event. Raises `PaymentInProgress`,
    `InvalidTransition`."""
    money, parties = order.payment_status, _parties(order, actor)
    step = lifecycle.step(order.status, money, Status.CANCELLED, parties)
    if order.payment_id is not None and money == PaymentStatus.UNPAID:
        raise PaymentInProgress
    order.cancel_reason = reason
    fulfilments.cancel(context, session, order, step, actor)
    refunds.request_for_cancelled(context, session, order)


def _advance(
    context: Context,
    session: Session,
    order: Order,
    target: str,
    allocated: Allocated,
    actor: Actor,
) -> None:
    if target == Status.SHIPPED:
        fulfilments.ship_rest(context, session, order, allocated, actor)
    elif target == Status.DELIVERED:
        fulfilments.deliver_all(context, session, order, actor)
    elif target == Status.CANCELLED:
        cancel_locked(context, session, order, None, actor)
    else:
        lifecycle.step(order.status, order.payment_status, target, _parties(order, actor))


def _end_cancelling(context: Context, order_id: uuid.UUID, is_being_paid: bool) -> None:
    """What is left once it is cancelled: a payment that may still wait for its buyer."""
    CANCELLED.reached()
    if is_being_paid:
        payment_commands.cancel_payment(context, order_id)


def _readdress(
    context: Context, session: Session, order: Order, address: dict[str, Any], actor: Actor
) -> None:
    if order.status != Status.PENDING:
        raise InvalidTransition(
            "The address can be changed while the order is pending.",
            order_status=order.status,
            payment_status=order.payment_status,
        )
    _check_charges(session, order, address, context.clock())
    order.shipping_address = address
    transitions.touch(context, order)
    timeline.add(
        context, session, order.id, TimelineKind.ORDER, TimelineCause.ADDRESS_CHANGED, actor
    )
    transitions.tell_staff(context, session, actor, Action.ORDER_ADDRESS_CHANGED, order)


def _check_charges(
    session: Session, order: Order, address: dict[str, Any], now: datetime.datetime
) -> None:
    """Raises `AddressChangesPrice` when the order would come to something else there: what it comes
    to is what its buyer was shown."""
    places = [
        (one, terms.read(session, one["country"], now)) for one in (order.shipping_address, address)
    ]
    if not are_alike(places, now, is_shipped=order.shipping_method is not None):
        raise AddressChangesPrice


def _is_being_paid(order: Order) -> bool:
    """Whether a payment may still wait for its buyer; a free order waits for its stock alone."""
    return order.paying_since is not None and order.total > 0


def _parties(order: Order, actor: Actor) -> set[Party]:
    """What `actor` is to this order; the system, when it is asked by RPC, acts as staff."""
    parties = {Party.STAFF} if actor.is_staff else set()
    return parties | {Party.OWNER} if actor.user_id == order.user_id else parties
