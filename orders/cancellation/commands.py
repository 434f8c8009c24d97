"""Cancelling units of a paid order that will not be shipped; their money goes back."""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from chassis import currencies, idempotency
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_staff
from chassis.steps import Step
from contracts.orders.enums import Cause, RefundReason, Status, TimelineCause, TimelineKind
from contracts.orders.errors import InvalidTransition
from contracts.users.enums import Action
from orders import division
from orders.context import Context
from orders.fulfilments import allocation, locations, progress, store
from orders.fulfilments import transitions as fulfilments
from orders.fulfilments.allocation import Allocated
from orders.fulfilments.progress import LineProgress
from orders.models import CancelledPlace, Order, OrderLine, RequestKey
from orders.order import commands as order_commands
from orders.order import queries, timeline, transitions
from orders.payment import refunds

#: Where a crash is tested.
CANCELLED = Step("orders.cancellation.cancelled")

#: Others are cancelled whole, or have been; of the last two nothing is left.
_PAID = (Status.PROCESSING, Status.PARTIALLY_SHIPPED, Status.SHIPPED, Status.DELIVERED)


def cancel_items(
    context: Context,
    order_id: uuid.UUID,
    items: Sequence[Mapping[str, int]],
    key: str | None,
    actor: Actor,
) -> Json:
    """Cancel `items` ({line, quantity}) that nobody has packed or shipped; the order, and whether
    it is a repeat under `key`, whichever clerk sends it. When nothing of it is left, the order is
    cancelled.

    Raises `NothingLeftToShip`, `InvalidTransition`, `Invalid`, `KeyReused`.
    """
    require_staff(actor)
    fingerprint = idempotency.fingerprint(items=items)
    of_key = order_id, "cancel_items", key, fingerprint, context.clock()
    with context.db.autocommit() as connection:
        is_repeat = idempotency.is_known(connection, RequestKey, *of_key)
    allocated = [] if is_repeat else allocation.ask(context, order_id)
    with context.db.begin() as session:
        order = queries.lock_visible(session, order_id, actor)
        claim = idempotency.claim(session, RequestKey, *of_key)
        if claim.is_new:
            wanted = progress.merge(items)
            _cancel(context, session, order, allocated, wanted, claim.resource_id, actor)
        answer = queries.view_of(session, order)
    CANCELLED.reached()
    return answer | {"replayed": not claim.is_new}


def _cancel(
    context: Context,
    session: Session,
    order: Order,
    allocated: Allocated,
    items: Mapping[int, int],
    cancellation_id: uuid.UUID,
    actor: Actor,
) -> None:
    if order.status not in _PAID:
        raise InvalidTransition(
            f"Nothing of an order that is {order.status} can be cancelled by the unit.",
            order_status=order.status,
            payment_status=order.payment_status,
        )
    lines = store.progress(session, order.id)
    taken = progress.take(lines, items)
    if sum(taken.values()) == sum(line.quantity - line.cancelled for line in lines):
        order_commands.cancel_locked(context, session, order, None, actor)
        return
    places = _places(session, order, allocated, lines, taken, cancellation_id)
    worth = _worth(session, order, taken)
    timeline.add(
        context, session, order.id, TimelineKind.ORDER, TimelineCause.UNITS_CANCELLED, actor,
        cancellation_id=cancellation_id, units=sum(taken.values()),
    )  # fmt: skip
    amount = _refund(context, session, order, cancellation_id, sum(worth.values(), Decimal(0)))
    parts = division.share(amount, list(worth.values()), currencies.places(order.currency))
    asked = dict(zip(worth, parts, strict=True))
    store.count(session, order.id, cancelled=taken, refunded=asked)
    told = {
        "cancellation_id": cancellation_id,
        "order_id": order.id,
        "number": order.number,
        "user_id": order.user_id,
        "lines": fulfilments.facts(lines, taken),
        "places": places,
        "amount": amount,
        "currency": order.currency,
    }
    context.events.record(session, "order_items_cancelled", told)
    transitions.tell_staff(context, session, actor, Action.ORDER_ITEMS_CANCELLED, order)
    lines = store.progress(session, order.id)
    fulfilments.follow(context, session, order, lines, Cause.ITEMS_CANCELLED, actor)


def _places(
    session: Session,
    order: Order,
    allocated: Allocated,
    lines: Sequence[LineProgress],
    taken: Mapping[int, int],
    cancellation_id: uuid.UUID,
) -> list[dict[str, Any]]:
    """Where the units lie that are cancelled, as the event tells; that is kept, so that nobody
    packs them."""
    by_variant = {each.variant_id: each.line for each in lines if each.line in taken}
    wanted = {variant_id: taken[line] for variant_id, line in by_variant.items()}
    freed = locations.give_back(store.held(session, order.id, allocated), wanted)
    places: list[dict[str, Any]] = [
        {"variant_id": variant_id, "location": location, "quantity": quantity}
        for location, units in freed.items()
        for variant_id, quantity in units.items()
    ]
    rows = [
        {
            "cancellation_id": cancellation_id,
            "order_id": order.id,
            "line": by_variant[place["variant_id"]],
            "location": place["location"],
            "quantity": place["quantity"],
        }
        for place in places
    ]
    if rows:
        session.execute(insert(CancelledPlace), rows)
    return places


def _worth(session: Session, order: Order, taken: Mapping[int, int]) -> dict[int, Decimal]:
    """What was paid for so many more units of each line. Units that were cancelled or came back
    count as the first of it, so that in the end every cent has gone back."""
    these = OrderLine.order_id == order.id, OrderLine.line.in_(taken)
    places = currencies.places(order.currency)
    worth = {}
    for row in session.scalars(select(OrderLine).where(*these)):
        gone = row.cancelled + row.returned
        first, last = (
            division.upto(row.total, units, row.quantity, places)
            for units in (gone, gone + taken[row.line])
        )
        worth[row.line] = last - first
    return worth


def _refund(
    context: Context, session: Session, order: Order, cancellation_id: uuid.UUID, worth: Decimal
) -> Decimal:
    """Have the money go back; how much of it is still there to go."""
    payment = refunds.Payment.of_order(order)
    if payment is None:
        return Decimal(0)
    cause = f"{RefundReason.CANCEL_ITEMS}:{cancellation_id}"
    return refunds.request_refund(context, session, payment, cause, worth)
