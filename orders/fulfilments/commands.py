"""What staff do with parcels: pack, send, deliver and cancel them; each is one transaction."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import idempotency
from chassis.errors import PreconditionFailed
from chassis.idempotency import KeyReused
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_staff
from chassis.steps import Step
from contracts.orders.enums import FulfilmentState
from contracts.users.enums import Action
from orders.context import Context
from orders.fulfilments import allocation, progress, queries, store, transitions
from orders.models import Fulfilment, Order
from orders.order import queries as order_queries

#: Where a crash is tested.
SAVED = Step("orders.fulfilments.saved")


def fulfil(
    context: Context,
    order_id: uuid.UUID,
    items: Sequence[Mapping[str, int]] | None,
    location: str | None,
    state: str,
    key: str | None,
    actor: Actor,
    **shipment: str | None,
) -> Json:
    """A new parcel with `items` ({line, quantity}), with all that is left without. `shipment`:
    carrier, tracking_number, tracking_url. A repeat under `key` answers the first one.

    It leaves from `location`, else from the first one that has all of it. Raises
    `NothingLeftToShip`, `NotHeld`, `InvalidTransition`, `Invalid`, `KeyReused`.
    """
    require_staff(actor)
    with context.db.autocommit() as connection:
        is_repeat = store.is_known(connection, order_id, key)
    allocated = [] if is_repeat else allocation.ask(context, order_id)
    request = {"items": items, "location": location, "state": state, **shipment}
    keyed = {"key": key, "fingerprint": key and idempotency.fingerprint(**request)}
    with context.db.begin() as session:
        order = order_queries.lock_visible(session, order_id, actor)
        parcel = store.known(session, order_id, key)
        is_new = parcel is None
        if parcel is None:
            wanted = None if items is None else progress.merge(items)
            described = shipment | keyed
            parcel = transitions.pack(
                context, session, order, allocated, wanted, location, **described
            )
            target = FulfilmentState(state)
            transitions.move(context, session, order, [parcel], target, actor)
        elif parcel.fingerprint != keyed["fingerprint"]:
            raise KeyReused(errors={"key": ["Used for another parcel of this order."]})
        made = queries.view_of(session, parcel)
    SAVED.reached()
    return made | {"replayed": not is_new}


def update(
    context: Context,
    fulfilment_id: uuid.UUID,
    state: str | None,
    version: int | None,
    actor: Actor,
    **shipment: str | None,
) -> Json:
    """Say how a parcel travels, that it has left, or that it has arrived. Of its `shipment` what is
    not given stays, None removes; `version` is the one that the caller knows. Raises
    `PreconditionFailed`, `InvalidTransition`."""
    require_staff(actor)
    with context.db.begin() as session:
        order, parcel = _lock(session, fulfilment_id, actor)
        if version is not None and version != parcel.version:
            raise PreconditionFailed
        if shipment:
            progress.check_changeable(parcel.state)
            for name, value in shipment.items():
                setattr(parcel, name, value)
            parcel.version += 1
            transitions.tell_staff(
                context, session, actor, Action.FULFILMENT_CHANGED, order, parcel
            )
        if state is not None:
            target = FulfilmentState(state)
            transitions.move(context, session, order, [parcel], target, actor)
        changed = queries.view_of(session, parcel)
    SAVED.reached()
    return changed


def cancel(context: Context, fulfilment_id: uuid.UUID, actor: Actor) -> Json:
    """Take a parcel that has not left apart; its units can be packed again. Raises
    `InvalidTransition`."""
    require_staff(actor)
    with context.db.begin() as session:
        order, parcel = _lock(session, fulfilment_id, actor)
        transitions.move(context, session, order, [parcel], FulfilmentState.CANCELLED, actor)
        cancelled = queries.view_of(session, parcel)
    SAVED.reached()
    return cancelled


def _lock(session: Session, fulfilment_id: uuid.UUID, actor: Actor) -> tuple[Order, Fulfilment]:
    """The order of a parcel, locked, and the parcel as it is then."""
    of_order = select(Fulfilment.order_id).where(Fulfilment.id == fulfilment_id)
    order_id = session.scalar(of_order)
    if order_id is None:
        raise queries.FulfilmentNotFound
    order = order_queries.lock_visible(session, order_id, actor)
    return order, session.get_one(Fulfilment, fulfilment_id)
