"""How parcels of a locked order take a step: their state, the counters of the lines, the order's
status, timeline and events together.

Inventory books by `fulfilment_shipped` what has left.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from chassis.identity import Actor
from contracts.orders.enums import (
    Cause,
    FulfilmentState,
    PaymentStatus,
    Status,
    TimelineCause,
    TimelineKind,
)
from contracts.orders.errors import InvalidTransition
from contracts.users.enums import Action
from orders.context import Context
from orders.fulfilments import locations, progress, store
from orders.fulfilments.allocation import Allocated
from orders.fulfilments.progress import LineProgress
from orders.models import Fulfilment, Order
from orders.order import lifecycle, timeline
from orders.order import transitions as order_transitions
from orders.order.lifecycle import Party, Transition

_WORDS = {
    FulfilmentState.PACKING: (TimelineCause.FULFILMENT_PACKED, Action.FULFILMENT_PACKED),
    FulfilmentState.SHIPPED: (TimelineCause.FULFILMENT_SHIPPED, Action.FULFILMENT_SHIPPED),
    FulfilmentState.DELIVERED: (TimelineCause.FULFILMENT_DELIVERED, Action.FULFILMENT_DELIVERED),
    FulfilmentState.CANCELLED: (TimelineCause.FULFILMENT_CANCELLED, Action.FULFILMENT_CANCELLED),
}

_CAUSES = {FulfilmentState.SHIPPED: Cause.SHIPPED, FulfilmentState.DELIVERED: Cause.DELIVERED}

#: The order of which nothing more is to be shipped, or to arrive.
_COMPLETE = {
    FulfilmentState.SHIPPED: (Status.SHIPPED, Status.DELIVERED),
    FulfilmentState.DELIVERED: (Status.DELIVERED,),
}


def pack(
    context: Context,
    session: Session,
    order: Order,
    allocated: Allocated,
    wanted: Mapping[int, int] | None,
    location: str | None,
    **described: str | None,
) -> Fulfilment:
    """A new parcel with so many units of each line, with all that is left without. It is told of
    by `move`, which comes next. Raises `NothingLeftToShip`, `NotHeld`, `InvalidTransition`,
    `Invalid`."""
    if order.status not in _COMPLETE[FulfilmentState.SHIPPED]:  # else nothing is left to take
        _check_sendable(session, order)
    lines = store.progress(session, order.id)
    units = progress.take(lines, wanted)
    by_variant = {each.variant_id: units[each.line] for each in lines if each.line in units}
    there = store.held(session, order.id, allocated)
    products = {each.variant_id: each.product_id for each in lines}
    place = locations.choose(there, location, by_variant, products)
    return _add(context, session, order, units, place, **described)


def move(
    context: Context,
    session: Session,
    order: Order,
    parcels: Sequence[Fulfilment],
    target: FulfilmentState,
    actor: Actor,
) -> None:
    """Take `parcels` to `target`, and the order with them; a new one may stay `packing`. Raises
    `InvalidTransition`."""
    if target == FulfilmentState.SHIPPED:
        _check_sendable(session, order)
    for parcel in parcels:
        _enter(context, parcel, target)
    session.flush()
    units = store.units(session, [parcel.id for parcel in parcels])
    if target == FulfilmentState.SHIPPED:
        for in_parcel in units.values():
            store.count(session, order.id, shipped=in_parcel)
    lines = store.progress(session, order.id)
    status = _status(session, order, lines)
    for parcel in parcels:
        is_last = parcel is parcels[-1] and status in _COMPLETE.get(target, ())
        _tell(context, session, order, parcel, facts(lines, units[parcel.id]), is_last, actor)
    if target in _CAUSES:
        follow(context, session, order, lines, _CAUSES[target], actor)


def ship_rest(
    context: Context, session: Session, order: Order, allocated: Allocated, actor: Actor
) -> None:
    """Send all of an order that has not left: what is packed, and the rest in a parcel from each
    location where some of it lies."""
    _check_sendable(session, order)
    parcels = store.in_state(session, order.id, FulfilmentState.PACKING)
    lines = {each.variant_id: each for each in store.progress(session, order.id)}
    left = {variant_id: each.left for variant_id, each in lines.items() if each.left}
    there = store.held(session, order.id, allocated)
    for place, part in locations.split(there, left).items():
        units = {lines[variant_id].line: quantity for variant_id, quantity in part.items()}
        parcels.append(_add(context, session, order, units, place))
    move(context, session, order, parcels, FulfilmentState.SHIPPED, actor)


def deliver_all(context: Context, session: Session, order: Order, actor: Actor) -> None:
    """All of an order has arrived."""
    _check(order, Status.DELIVERED, Cause.DELIVERED)
    parcels = store.in_state(session, order.id, FulfilmentState.SHIPPED)
    move(context, session, order, parcels, FulfilmentState.DELIVERED, actor)


def cancel(
    context: Context,
    session: Session,
    order: Order,
    step: Transition,
    actor: Actor = Actor.SYSTEM,
) -> None:
    """Cancel a locked order, with all its units; what is packed of it is taken apart."""
    order_transitions.move(context, session, order, step, actor)
    if store.cancel_all(session, order.id):
        parcels = store.in_state(session, order.id, FulfilmentState.PACKING)
        move(context, session, order, parcels, FulfilmentState.CANCELLED, actor)


def follow(
    context: Context,
    session: Session,
    order: Order,
    lines: Sequence[LineProgress],
    cause: Cause,
    actor: Actor,
) -> None:
    """Have the order's status be what its units say; what is shown of it has changed anyway."""
    status = _status(session, order, lines)
    if status == order.status:
        order_transitions.touch(context, order)
        return
    step = lifecycle.step(order.status, order.payment_status, status, (Party.PARCELS,), cause)
    order_transitions.move(context, session, order, step, actor)


def facts(lines: Sequence[LineProgress], units: Mapping[int, int]) -> list[dict[str, Any]]:
    """So many units of each line, as events tell of them."""
    return [
        {
            "line": each.line,
            "variant_id": each.variant_id,
            "quantity": units[each.line],
            "name": each.name,
        }
        for each in lines
        if each.line in units
    ]


def tell_staff(
    context: Context,
    session: Session,
    actor: Actor,
    action: Action,
    order: Order,
    parcel: Fulfilment,
) -> None:
    """Have the audit trail of the order tell of a parcel."""
    about = {"fulfilment_id": str(parcel.id)}
    order_transitions.tell_staff(context, session, actor, action, order, **about)


def _check_sendable(session: Session, order: Order) -> None:
    """Raise `InvalidTransition` unless parcels of the order may leave: when all its money went
    back, only while what is left of it costs nothing."""
    _check(order, Status.SHIPPED, Cause.SHIPPED)
    if order.payment_status == PaymentStatus.REFUNDED and store.is_worth_money(session, order):
        raise InvalidTransition(
            "An order whose money went back in full cannot be shipped.",
            order_status=order.status,
            payment_status=order.payment_status,
        )


def _check(order: Order, target: Status, cause: Cause) -> None:
    """Raise `InvalidTransition` unless what becomes of parcels may make the order `target`."""
    lifecycle.step(order.status, order.payment_status, target, (Party.PARCELS,), cause)


def _add(
    context: Context,
    session: Session,
    order: Order,
    units: Mapping[int, int],
    location: str,
    **described: str | None,
) -> Fulfilment:
    parcel = Fulfilment(
        id=uuid.uuid4(),
        order_id=order.id,
        location=location,
        state=FulfilmentState.PACKING,
        created_at=context.clock(),
        version=1,
        **described,
    )
    store.add(session, parcel, units)
    return parcel


def _status(session: Session, order: Order, lines: Sequence[LineProgress]) -> Status:
    return progress.status(lines, store.is_under_way(session, order.id))


def _enter(context: Context, parcel: Fulfilment, target: FulfilmentState) -> None:
    if target == FulfilmentState.PACKING:
        return
    progress.check_step(parcel.state, target)
    parcel.state = target
    parcel.version += 1
    if target == FulfilmentState.SHIPPED:
        parcel.shipped_at = context.clock()
    elif target == FulfilmentState.DELIVERED:
        parcel.delivered_at = context.clock()


def _tell(
    context: Context,
    session: Session,
    order: Order,
    parcel: Fulfilment,
    lines: list[dict[str, Any]],
    is_complete: bool,
    actor: Actor,
) -> None:
    cause, action = _WORDS[FulfilmentState(parcel.state)]
    timeline.add(
        context, session, order.id, TimelineKind.ORDER, cause, actor,
        fulfilment_id=parcel.id, location=parcel.location,
        units=sum(line["quantity"] for line in lines),
    )  # fmt: skip
    tell_staff(context, session, actor, action, order, parcel)
    if parcel.state == FulfilmentState.PACKING or order.status == Status.CANCELLED:
        return  # nobody waits for it, or hears that the whole order is cancelled
    told = {
        "fulfilment_id": parcel.id,
        "order_id": order.id,
        "number": order.number,
        "user_id": order.user_id,
        "location": parcel.location,
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "tracking_url": parcel.tracking_url,
        "lines": lines,
        "complete": is_complete,
    }
    context.events.record(session, f"fulfilment_{parcel.state}", told)
