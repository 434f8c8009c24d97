"""Recovery: what time has run out for, and what a crash has left half-done.

Instances share the work: each takes rows that no other holds (`SKIP LOCKED`) and moves them on
before it asks anybody, so that no transaction is open during a call.
"""

from collections.abc import Callable, Iterable
from typing import Any

from chassis import idempotency, outages
from orders.checkout import commands as checkout_commands
from orders.checkout import store as checkout_store
from orders.context import Context
from orders.models import RequestKey
from orders.order import commands as order_commands
from orders.payment import commands as payment_commands

#: Rows in one transaction, and in one round of a timer.
BATCH = 50


def expire(context: Context) -> None:
    """Cancel the unpaid orders whose time is over."""
    while order_commands.expire(context, BATCH) == BATCH:
        pass


def release_checkouts(context: Context) -> None:
    """Give back what abandoned checkouts, and those that stand still, have reserved."""
    with context.db.begin() as session:
        abandoned = checkout_store.abandon_stale(session, context.clock(), BATCH)
    _each(
        context, "release", abandoned, lambda order_id: checkout_commands.release(context, order_id)
    )


def look_up_payments(context: Context) -> None:
    """Ask for the end of payments that we have not heard of, and finish the orders they paid."""
    due = payment_commands.take_due(context, BATCH)
    _each(context, "look_up", due, lambda order: payment_commands.look_up(context, *order))


def forget_keys(context: Context) -> None:
    """Drop the keys of requests that are a day old."""
    now = context.clock()
    idempotency.forget(context.db.begin, RequestKey, now)
    freed = idempotency.BATCH
    while freed == idempotency.BATCH:
        with context.db.begin() as session:
            freed = checkout_store.forget_keys(session, now)


def _each(context: Context, what: str, taken: Iterable[Any], do: Callable[[Any], None]) -> None:
    """What fails with one does not touch the others: it comes up again at its next time."""
    for one in taken:
        try:
            do(one)
        except Exception as error:
            if not outages.is_logged(error):
                context.log.warning("recovery_postponed", what=what, error=type(error).__name__)
