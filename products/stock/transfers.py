"""Stock on its way from one location to another.

What is sent is off the books of the one, and on those of the other once it is received; what lies
between counts nowhere, and nobody can order it.
"""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Session

from chassis import idempotency, paging, staff
from chassis.errors import Invalid
from chassis.identity import Actor
from chassis.messages import Json
from chassis.staff import require_staff
from contracts.inventory.enums import MovementKind, TransferState
from contracts.inventory.errors import NotOnTheWay, TransferClosed, TransferNotFound
from contracts.users.enums import Action, Target
from products import cache_invalidation
from products.context import Context
from products.models import RequestKey, Transfer, TransferLine
from products.stock import ledger, locations, reservations
from products.stock.reservations import Change

_COLUMNS: tuple[Any, ...] = (
    Transfer.id,
    Transfer.source,
    Transfer.target,
    Transfer.state,
    Transfer.reason,
    Transfer.created_at,
    Transfer.updated_at,
    Transfer.version,
)
_TRANSFERS = select(*_COLUMNS)
_NEWEST = paging.Keyset("transfers", Transfer.created_at, Transfer.id)


def find(
    connection: Connection, actor: Actor, state: str | None, limit: int, cursor: str | None
) -> Json:
    """A page of transfers, newest first. Raises `Forbidden`."""
    require_staff(actor)
    query = _TRANSFERS
    if state is not None:
        query = query.where(Transfer.state == state)
    rows, following = _NEWEST.page(connection, query, limit, cursor)
    return {"items": _views(connection, rows), "next": following}


def get(connection: Connection | Session, actor: Actor, transfer_id: UUID) -> Json:
    """One transfer. Raises `Forbidden`, `TransferNotFound`."""
    require_staff(actor)
    rows = connection.execute(_TRANSFERS.where(Transfer.id == transfer_id)).mappings().all()
    if not rows:
        raise TransferNotFound()
    return _views(connection, rows)[0]


def send(
    context: Context,
    actor: Actor,
    source: str,
    target: str,
    items: Sequence[Mapping[str, int]],
    reason: str,
    key: str | None,
) -> Json:
    """Take `items` ({variant_id, quantity}) off the books of `source`, on their way to `target`.

    Raises `Forbidden`, `Invalid`, `OutOfStock` when fewer are free there, `KeyReused`.
    """
    require_staff(actor)
    if source == target:
        raise Invalid(errors={"to": ["Is where they come from."]})
    requested = reservations.merge(items, most=None)
    asked = idempotency.fingerprint(
        source=source, target=target, items=list(requested.items()), reason=reason
    )
    now = context.clock()
    with _changing(context) as session:
        claim = idempotency.claim(session, RequestKey, actor.user_id, "transfer", key, asked, now)
        if claim.is_new:
            locations.check(session, source, "from")
            locations.check(session, target, "to")
            levels = ledger.lock(session, requested)
            changes = ledger.free_expired(session, levels, now)
            free = {each: level.available for (each, at), level in levels.items() if at == source}
            with ledger.naming_products(levels):
                reservations.check_enough(requested, free)
            changes += _moves(claim.resource_id, source, requested, -1, reason)
            ledger.apply(session, changes, now, actor.user_id)
            moments = {"created_at": now, "updated_at": now}
            row = {"id": claim.resource_id, "source": source, "target": target, "reason": reason}
            session.execute(
                insert(Transfer).values(**row, **moments, state=TransferState.SENT, version=1)
            )
            lines = [
                {"transfer_id": claim.resource_id, "variant_id": each, "sent": n, "received": 0}
                for each, n in requested.items()
            ]
            session.execute(insert(TransferLine), lines)
            _tell(context, session, actor, Action.TRANSFER_SENT, claim.resource_id, requested)
        return get(session, actor, claim.resource_id) | {"replayed": not claim.is_new}


def receive(
    context: Context,
    actor: Actor,
    transfer_id: UUID,
    items: Sequence[Mapping[str, int]] | None,
    key: str | None,
) -> Json:
    """Put `items` of a transfer on the books of the location that they were sent to; all that is on
    the way if none are named.

    Raises `Forbidden`, `TransferNotFound`, `TransferClosed`, `NotOnTheWay`, `KeyReused`.
    """
    require_staff(actor)
    received = None if items is None else reservations.merge(items, most=None)
    asked = idempotency.fingerprint(
        transfer_id=transfer_id, items=received and list(received.items())
    )
    now = context.clock()
    with _changing(context) as session:
        claim = idempotency.claim(
            session, RequestKey, actor.user_id, "transfer_receipt", key, asked, now
        )
        if claim.is_new:
            transfer = _lock(session, transfer_id)
            left = _left(session, transfer)
            arrived = dict(left) if received is None else received
            _check_on_the_way(arrived, left)
            for variant_id, quantity in arrived.items():
                left[variant_id] -= quantity
                line = (
                    TransferLine.transfer_id == transfer_id,
                    TransferLine.variant_id == variant_id,
                )
                grown = {"received": TransferLine.received + quantity}
                session.execute(update(TransferLine).where(*line).values(grown))
            _put(session, actor, transfer.target, claim.resource_id, arrived, transfer.reason, now)
            state = TransferState.SENT if any(left.values()) else TransferState.RECEIVED
            _set_state(session, transfer_id, state, now)
            _tell(context, session, actor, Action.TRANSFER_RECEIVED, transfer_id, arrived)
        return get(session, actor, transfer_id) | {"replayed": not claim.is_new}


def cancel(context: Context, actor: Actor, transfer_id: UUID) -> Json:
    """Put what is still on the way back where it came from. A repeat changes nothing.

    Raises `Forbidden`, `TransferNotFound`, `TransferClosed` when all of it has arrived.
    """
    require_staff(actor)
    now = context.clock()
    with _changing(context) as session:
        transfer = _lock(session, transfer_id)
        if transfer.state != TransferState.CANCELLED:
            left = _left(session, transfer)
            back = {each: quantity for each, quantity in left.items() if quantity}
            _put(session, actor, transfer.source, transfer_id, back, "transfer cancelled", now)
            _set_state(session, transfer_id, TransferState.CANCELLED, now)
            _tell(context, session, actor, Action.TRANSFER_CANCELLED, transfer_id, back)
        return get(session, actor, transfer_id)


def _lock(session: Session, transfer_id: UUID) -> Transfer:
    transfer = session.get(Transfer, transfer_id, with_for_update=True)
    if transfer is None:
        raise TransferNotFound()
    return transfer


def _left(session: Session, transfer: Transfer) -> dict[int, int]:
    """What of each variant has not arrived. Raises `TransferClosed` unless it is under way."""
    if transfer.state != TransferState.SENT:
        raise TransferClosed(state=transfer.state)
    lines = session.execute(
        select(TransferLine.variant_id, (TransferLine.sent - TransferLine.received).label("left"))
        .where(TransferLine.transfer_id == transfer.id, TransferLine.received < TransferLine.sent)
        .order_by(TransferLine.variant_id)
    )
    return {line.variant_id: line.left for line in lines}


def _check_on_the_way(arrived: Mapping[int, int], left: Mapping[int, int]) -> None:
    more = [
        {"variant_id": each, "requested": quantity, "on_the_way": left.get(each, 0)}
        for each, quantity in arrived.items()
        if quantity > left.get(each, 0)
    ]
    if more:
        raise NotOnTheWay(lines=more)


def _put(
    session: Session,
    actor: Actor,
    location: str,
    cause_id: UUID,
    units: Mapping[int, int],
    reason: str,
    now: datetime.datetime,
) -> None:
    ledger.open_stock(session, units, location)
    ledger.lock(session, units)
    ledger.apply(session, _moves(cause_id, location, units, 1, reason), now, actor.user_id)


def _moves(
    cause_id: UUID, location: str, units: Mapping[int, int], sign: int, reason: str
) -> list[Change]:
    kind = MovementKind.TRANSFER_IN if sign > 0 else MovementKind.TRANSFER_OUT
    return [
        Change(each, location, kind, sign * quantity, 0, reason, cause_id=cause_id)
        for each, quantity in units.items()
    ]


def _set_state(
    session: Session, transfer_id: UUID, state: TransferState, now: datetime.datetime
) -> None:
    values = {"state": state, "updated_at": now, "version": Transfer.version + 1}
    session.execute(update(Transfer).where(Transfer.id == transfer_id).values(values))


def _views(
    connection: Connection | Session, rows: Sequence[Mapping[Any, Any]]
) -> list[dict[str, Any]]:
    of = TransferLine
    query = select(of.transfer_id, of.variant_id, of.sent, of.received)
    query = query.where(of.transfer_id.in_([row["id"] for row in rows])).order_by(of.variant_id)
    lines: dict[UUID, list[dict[str, int]]] = {row["id"]: [] for row in rows}
    for transfer_id, variant_id, sent, received in connection.execute(query) if rows else ():
        line = {"variant_id": variant_id, "sent": sent, "received": received}
        lines[transfer_id].append(line)
    return [
        {name: row[name] for name in row if name not in ("source", "target")}
        | {"from": row["source"], "to": row["target"], "items": lines[row["id"]]}
        for row in rows
    ]


def _tell(
    context: Context,
    session: Session,
    actor: Actor,
    action: Action,
    transfer_id: UUID,
    units: Mapping[int, int],
) -> None:
    about = Target.TRANSFER, transfer_id
    staff.tell(context, session, actor, action, *about, units=sum(units.values()))


def _changing(context: Context) -> AbstractContextManager[Session]:
    return cache_invalidation.publishing(context, "stock_changed")
