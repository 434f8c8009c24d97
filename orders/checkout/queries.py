"""Checkouts under way, and which of them are stuck: for staff, for Prometheus and for operators.

A checkout is under way while it has a row of its own (`orders.checkout.store`), or while it is
`paying`: its order waits for the end of a payment (`orders.payment.commands`). The timers end all
of them. One that has taken `STUCK_FACTOR` times as long as the settings allow is stuck. Nothing
here tells what is bought, or where it goes.
"""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
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

from chassis import paging
from chassis.errors import Forbidden
from chassis.identity import Actor
from contracts.orders.enums import OVER, STUCK, CheckoutReason, CheckoutState
from orders.context import Context
from orders.models import Checkout, Order

#: A checkout counts as stuck after so many times the seconds that it may take.
STUCK_FACTOR = 3

#: Seconds that a checkout, and a payment, may take; settings of the service.
PATIENCE = ("checkout_patience", "payment_patience")

NOW = bindparam("now", type_=DateTime(timezone=True))


def _long_before_now(patience: str) -> ColumnElement[datetime.datetime]:
    seconds = STUCK_FACTOR * bindparam(patience, type_=Float)
    return NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)


#: Free orders have no payment, and only wait for their stock.
_IS_UNPAID = Order.payment_id.is_(None) & (Order.total > 0)
#: From when on a payment counts: one without an outcome may take until the time to pay is over.
_PAYMENT_COUNTS_FROM = case(
    (_IS_UNPAID, func.greatest(Order.paying_since, Order.expires_at)), else_=Order.paying_since
)

#: A row for each, to be run with `now` and `PATIENCE`. `due_at` is when a timer takes it up again,
#: `attempts` how often one has, `reason` why that was not the end, as far as it is known.
UNDER_WAY = union_all(
    select(
        Checkout.order_id,
        Checkout.user_id,
        Checkout.state,
        Checkout.started_at.label("since"),
        Checkout.due_at,
        Checkout.attempts,
        Checkout.reason,
        (Checkout.started_at <= _long_before_now("checkout_patience")).label("is_stuck"),
    ),
    select(
        Order.id,
        Order.user_id,
        literal(CheckoutState.PAYING, Text),
        Order.paying_since,
        Order.recheck_at,
        null().cast(Integer),
        case(
            (_IS_UNPAID, literal(CheckoutReason.OUTCOME_UNKNOWN, Text)),
            else_=literal(CheckoutReason.ORDER_NOT_FINISHED, Text),
        ),
        (_long_before_now("payment_patience") >= _PAYMENT_COUNTS_FROM).label("is_stuck"),
    ).where(Order.recheck_at.is_not(None)),
).subquery("under_way")

_OLDEST = paging.Keyset("checkouts", UNDER_WAY.c.since, UNDER_WAY.c.order_id, ascending=True)


def under_way(
    state: str | None, now: datetime.datetime, settings: Mapping[str, Any]
) -> Select[Any]:
    """`UNDER_WAY` at this moment: all, those in a `CheckoutState`, or with `STUCK` the stuck."""
    query = select(UNDER_WAY).params(now=now, **{name: settings[name] for name in PATIENCE})
    if state == STUCK:
        return query.where(UNDER_WAY.c.is_stuck)
    return query if state is None else query.where(UNDER_WAY.c.state == state)


def page(
    context: Context, actor: Actor, state: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """Checkouts under way for staff, the oldest first."""
    require_staff(actor)
    query = under_way(state, context.clock(), context.settings)
    with context.db.autocommit() as connection:
        rows, following = _OLDEST.page(connection, query, limit, cursor)
    return {"items": rows, "next": following}


def outcome(context: Context, order_id: uuid.UUID) -> dict[str, Any]:
    """How a checkout stands, and its order, if there is one."""
    with context.db.autocommit() as connection:
        begun = connection.scalar(select(Checkout.state).where(Checkout.order_id == order_id))
        query = select(Order.status, Order.payment_status, Order.paying_since)
        found = connection.execute(query.where(Order.id == order_id)).mappings().first()
    order: Mapping[str, Any] = dict(found or {})
    return {
        "order_id": order_id,
        "state": begun or (CheckoutState.PAYING if order.get("paying_since") else OVER),
        "order_status": order.get("status"),
        "payment_status": order.get("payment_status"),
    }


def require_staff(actor: Actor) -> None:
    """Raises `Forbidden`."""
    if not actor.is_staff:
        raise Forbidden
