"""Recovery: what time has run out for, and what a crash has left half-done.

Instances share the work: each takes rows that no other holds (`SKIP LOCKED`) and moves them on
before it asks anybody, so that no transaction is open during a call.
"""

from functools import partial

from chassis import idempotency, retries
from orders.checkout import commands as checkout_commands
from orders.checkout import store as checkout_store
from orders.context import Context
from orders.models import RequestKey
from orders.order import commands as order_commands
from orders.payment import commands as payment_commands

#: Rows in one transaction, and in one round of a timer.
BATCH = 50

#: What the log calls a step that has failed and comes up again.
POSTPONED = "recovery_postponed"


def expire(context: Context) -> None:
    """Cancel the unpaid orders whose time is over."""
    while order_commands.expire(context, BATCH) == BATCH:
        pass


def release_checkouts(context: Context) -> None:
    """Give back what abandoned checkouts, and those that stand still, have reserved."""
    abandoned = checkout_store.abandon_stale(context.db, context.clock(), BATCH)
    release = partial(checkout_commands.release, context)
    retries.each(abandoned, release, context.log, POSTPONED, what="release")


def look_up_payments(context: Context) -> None:
    """Ask for the end of payments that we have not heard of, and finish the orders they paid."""
    due = payment_commands.take_due(context, BATCH)
    retries.each(
        due,
        lambda order: payment_commands.look_up(context, *order),
        context.log,
        POSTPONED,
        what="look_up",
    )


def purge(context: Context) -> None:
    """Delete the keys of requests that are a day old."""
    now = context.clock()
    idempotency.purge(context.db.begin, RequestKey, now)
    freed = idempotency.BATCH
    while freed == idempotency.BATCH:
        with context.db.begin() as session:
            freed = checkout_store.free_keys(session, now)
