"""The sweep: asks the providers about everything that is not decided yet.

A time-out is not a failure but an unknown, and so is a process that died between two steps.
Several instances share the work: each takes rows that no other holds, and moves their next
check on before it asks, so that no transaction is open while the provider answers.
"""

import datetime
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from chassis import outages
from payments.charges import commands as charges
from payments.charges import store as charge_store
from payments.context import Context
from payments.refunds import commands as refunds
from payments.refunds import store as refund_store

Taken = TypeVar("Taken")


def sweep(context: Context) -> None:
    """One round: `sweep_batch` payments and as many refunds at most."""
    _each(context, charge_store.take_due, charges.settle_overdue)
    _each(context, refund_store.take_due, refunds.complete)


def _each(
    context: Context,
    take: Callable[[Session, datetime.datetime, int], list[Taken]],
    settle: Callable[[Context, Taken], object],
) -> None:
    """What goes wrong with one is logged and does not touch the others."""
    with context.db.begin() as session:
        taken = take(session, context.clock(), context.settings["sweep_batch"])
    for one in taken:
        try:
            settle(context, one)
        except Exception as error:  # its next check is set: it comes again
            if not outages.is_logged(error):
                context.log.warning(
                    "sweep_failed", step=settle.__name__, error=type(error).__name__
                )
