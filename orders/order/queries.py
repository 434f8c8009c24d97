"""The order book: reading orders, and locking one for a change."""

import datetime
import uuid
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session

from chassis import paging
from chassis.errors import Forbidden, Invalid, NotFound
from chassis.identity import Actor, Role
from chassis.messages import Json
from contracts.users.answers import UserIds
from orders import lines
from orders.context import Context
from orders.models import Order, OrderLine
from orders.order import numbers

_FOUND = UserIds()

#: Users whose orders one search looks for at most, the newest.
MOST_BUYERS = 100

_SHOWN = (
    Order.id,
    Order.number,
    Order.user_id,
    Order.status,
    Order.payment_status,
    Order.subtotal,
    Order.discount,
    Order.shipping,
    Order.shipping_tax,
    Order.net,
    Order.tax,
    Order.total,
    Order.currency,
    Order.prices_include_tax,
    Order.shipping_method,
    Order.shipping_name,
    Order.shipping_tax_class,
    Order.shipping_address,
    Order.cancel_reason,
    Order.created_at,
    Order.expires_at,
    Order.version,
)

#: The taxes of an order, with its first line: one statement reads both.
_TAXES: ColumnElement[list[dict[str, Any]] | None] = literal_column(
    """
    CASE WHEN line = 1 THEN (
        SELECT jsonb_agg(
            jsonb_build_object('tax_class', order_taxes.tax_class, 'rate', rate::text,
                'label', label, 'reason', reason, 'taxable', taxable::text,
                'amount', amount::text)
            ORDER BY order_taxes.tax_class, rate
        ) FROM order_taxes WHERE order_taxes.order_id = order_lines.order_id
    ) END
    """
).label("taxes")

_RECIPIENT = ("name", "company", "phone")

_NEWEST = paging.Keyset("orders", Order.created_at, Order.id)


def lock(session: Session, order_id: uuid.UUID) -> Order | None:
    """The order as it is now, locked until the end of the transaction."""
    return session.get(Order, order_id, with_for_update=True, populate_existing=True)


def view(
    order: Order, rows: Iterable[Mapping[str, Any]], taxes: Iterable[Mapping[str, Any]]
) -> Json:
    """An order as answered, of the rows of its lines and taxes, which are known already."""
    shown = _shown(order)
    shown["shipping_address"] = _whole(shown["shipping_address"])
    return shown | {"items": [lines.view(row) for row in rows], "taxes": list(taxes)}


def view_of(session: Session, order: Order) -> Json:
    """The locked order as answered."""
    return _views(session, [_shown(order)])[0]


def lock_visible(session: Session, order_id: uuid.UUID, actor: Actor) -> Order:
    """`lock` for an actor; raises `NotFound`, also for what is somebody else's."""
    order = lock(session, order_id)
    if order is None or order.hidden_at is not None or not _may_see(order.user_id, actor):
        raise NotFound("There is no such order.")
    return order


def get(connection: Connection | Session, order_id: uuid.UUID, actor: Actor) -> Json:
    """One order as answered; raises `NotFound`, also for what is somebody else's."""
    query = select(*_SHOWN).where(Order.id == order_id, Order.hidden_at.is_(None))
    row = connection.execute(query).mappings().first()
    if row is None or not _may_see(row["user_id"], actor):
        raise NotFound("There is no such order.")
    return _views(connection, [row])[0]


def page(
    connection: Connection,
    actor: Actor,
    *,
    user_id: uuid.UUID | None,
    limit: int,
    cursor: str | None,
    buyers: Collection[uuid.UUID] | None = None,
    **filters: Any,
) -> Json:
    """Orders, newest first. Staff see all, others their own; raises `NotFound` for another's.

    `search` finds the order of that number, and those of `buyers`.
    """
    if not actor.is_staff:
        if user_id not in (None, actor.user_id):
            raise NotFound("There is no such user.")
        user_id = actor.user_id
    query = _filtered(user_id=user_id, buyers=buyers, **filters)
    rows, following = _NEWEST.page(connection, query, limit, cursor)
    return {"items": _views(connection, rows), "next": following}


def find(context: Context, actor: Actor, search: str | None, **request: Any) -> Json:
    """`page`, where `search` (for staff: Forbidden for others) is the number of an order, or words
    that `users` finds buyers by: a name, an e-mail address."""
    buyers = None
    if search is not None:
        if not actor.is_staff:
            raise Forbidden
        if numbers.parse(search) is None:
            found = context.users.find(search=search, limit=MOST_BUYERS)
            buyers = [user["id"] for user in _FOUND.load(found)["items"]]
    with context.db.autocommit() as connection:
        return page(connection, actor, search=search, buyers=buyers, **request)


def buyer(connection: Connection | Session, order_id: uuid.UUID) -> Actor:
    """Whose order this is, as others are asked on their behalf."""
    user_id = connection.execute(select(Order.user_id).where(Order.id == order_id)).scalar_one()
    return Actor(user_id, Role.CUSTOMER)


def is_there(connection: Connection | Session, order_id: uuid.UUID) -> bool:
    """Whether there is an order of this id."""
    return connection.scalar(select(Order.id).where(Order.id == order_id)) is not None


def _shown(order: Order) -> dict[str, Any]:
    return {column.key: getattr(order, column.key) for column in _SHOWN}


def _may_see(user_id: uuid.UUID, actor: Actor) -> bool:
    return actor.is_staff or actor.user_id == user_id


def _filtered(
    *,
    user_id: uuid.UUID | None,
    status: str | None,
    payment_status: str | None,
    from_: datetime.datetime | None,
    to: datetime.datetime | None,
    number: str | None = None,
    search: str | None = None,
    buyers: Collection[uuid.UUID] | None = None,
) -> Select[Any]:
    query = select(*_SHOWN).where(Order.hidden_at.is_(None))
    if number is not None:
        named = _named(number)
        if named is None:
            raise Invalid(errors={"number": ["Not the number of an order; look at its digits."]})
        query = query.where(named)
    if search is not None:
        named = _named(search)
        theirs = Order.user_id.in_(buyers or ())
        query = query.where(theirs if named is None else or_(named, theirs))
    if user_id is not None:
        query = query.where(Order.user_id == user_id)
    if status is not None:
        query = query.where(Order.status == status)
    if payment_status is not None:
        query = query.where(Order.payment_status == payment_status)
    if from_ is not None:
        query = query.where(Order.created_at >= from_)
    if to is not None:
        query = query.where(Order.created_at < to)
    return query


def _named(text: str) -> ColumnElement[bool] | None:
    """Orders of this number, or whose id begins with these eight characters."""
    if (number := numbers.parse(text)) is not None:
        return Order.number == number
    if (ids := numbers.ids(text)) is not None:
        return Order.id.between(*ids)
    return None


def _views(
    connection: Connection | Session, rows: Collection[RowMapping | dict[str, Any]]
) -> list[dict[str, Any]]:
    orders: dict[uuid.UUID, dict[str, Any]] = {
        row["id"]: dict(row) | {"shipping_address": _whole(row["shipping_address"]), "items": []}
        for row in rows
    }
    query = (
        select(OrderLine.__table__, _TAXES)
        .where(OrderLine.order_id.in_(orders))
        .order_by(OrderLine.order_id, OrderLine.line)
    )
    for row in connection.execute(query).mappings() if orders else ():
        order = orders[row["order_id"]]
        order["items"].append(lines.view(row))
        if row["line"] == 1:
            order["taxes"] = row["taxes"] or []
    return list(orders.values())


def _whole(address: Mapping[str, Any]) -> dict[str, Any]:
    """An address as answered; orders from before addresses named a recipient have none."""
    return dict.fromkeys(_RECIPIENT) | dict(address)


def facts(order: Order, cause: str) -> Json:
    """An order as its events tell of it."""
    return {
        "order_id": order.id,
        "number": order.number,
        "user_id": order.user_id,
        "total": Decimal(order.total),
        "currency": order.currency,
        "version": order.version,
        "cause": str(cause),
    }
