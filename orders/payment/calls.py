"""What orders asks of the payments service."""

import uuid
from functools import partial
from typing import Any

from chassis import outages
from chassis.errors import Fault, Invalid
from chassis.identity import Actor, Role
from contracts.payments.answers import Payment, PaymentPage
from orders.context import Context
from orders.models import Order
from orders.order import queries as order_queries

#: A page of payments.list, newest first: what may still bring money is always among the newest.
NEWEST = 100

#: Not itself: JSON has no form of its own for it, as it has for people.
_SYSTEM: Any = Actor.SYSTEM.to_wire()
_PAYMENT, _PAYMENTS = Payment(), PaymentPage()


def charge(context: Context, order: Order, method: dict[str, str], key: str) -> dict[str, Any]:
    """The payment that is made under `key`. During an upgrade a payments process of the release
    before may refuse the number of the order, before it does anything; then it is asked without."""
    ask = partial(
        context.payments.charge,
        order_id=order.id,
        user_id=order.user_id,
        amount=order.total,
        currency=order.currency,
        method=method,
        key=key,
    )
    try:
        return _PAYMENT.load(ask(order_number=order.number))
    except Invalid as fault:
        if "order_number" not in fault.errors:
            raise
        return _PAYMENT.load(ask())


def find(context: Context, order: Order, key: str) -> dict[str, Any] | None:
    """The payment that was made under `key`, as it is now; None when there is none."""
    buyer = Actor(order.user_id, Role.CUSTOMER)
    found = context.payments.list(order_id=order.id, key=key, limit=1, actor=buyer)
    return next(iter(_PAYMENTS.load(found)["items"]), None)


def newest(context: Context, order_id: uuid.UUID) -> list[dict[str, Any]]:
    """The payments of an order, as its buyer sees them, the newest first."""
    with context.db.autocommit() as connection:
        buyer = order_queries.buyer(connection, order_id)
    found = context.payments.list(order_id=order_id, limit=NEWEST, actor=buyer)
    return _PAYMENTS.load(found)["items"]


def cancel(context: Context, order_id: uuid.UUID) -> None:
    """Have the payment of a cancelled order that may still wait for its buyer cancelled; what does
    not come to that now is left to `orders.jobs`."""
    try:
        context.payments.cancel(order_id=order_id, actor=_SYSTEM)
    except Fault as fault:
        if not outages.is_logged(fault):
            context.log.warning("payment_cancelled_later", order_id=str(order_id), code=fault.code)
