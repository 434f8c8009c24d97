"""What timers do: ask about what is not decided yet, compare the books, delete what is over.

A time-out is not a failure but an unknown, and so is a process that died between two steps.
Several instances share the work: each takes rows that no other holds, and moves their next
check on before it asks, so that no transaction is open while the provider answers.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from chassis import idempotency, retries
from contracts.payments.enums import Problem, ProviderName
from payments import scheduled
from payments.charges import commands as charges
from payments.charges import store as charge_store
from payments.context import Context
from payments.models import RequestKey
from payments.providers.simulator import Simulator
from payments.reconciliation import commands as reconciliation
from payments.refunds import commands as refunds
from payments.refunds import store as refund_store
from payments.webhooks import commands as webhooks

Taken = TypeVar("Taken")


def sweep(context: Context) -> None:
    """One round: `sweep_batch` payments and as many refunds at most."""
    _settle(context, charge_store.take_due, charges.settle_overdue)
    _settle(context, refund_store.take_due, refunds.complete)


def compare_books(context: Context, count: Callable[[Mapping[Problem, int]], None]) -> None:
    """Once an hour, whichever instance it is, see `reconciliation.compare_last_day`."""
    compare = partial(reconciliation.compare_last_day, context, count)
    scheduled.run_if_due(context, "compare_books", reconciliation.EVERY, compare)


def simulate(context: Context) -> None:
    """What the simulator does without being asked, where it is the provider."""
    if context.settings["provider"] == ProviderName.SIMULATOR:
        simulator = Simulator(context.db, context.clock, context.settings["simulator"])
        simulator.tick(context.log)


def purge(context: Context) -> None:
    """Delete keys that are over, and webhooks that were looked into long ago."""
    idempotency.purge(context.db.begin, RequestKey, context.clock())
    webhooks.purge(context)


def _settle(
    context: Context,
    take: Callable[[Connection, datetime.datetime, int], Sequence[Taken]],
    settle: Callable[[Context, Taken], object],
) -> None:
    with context.db.autocommit() as connection:
        taken = take(connection, context.clock(), context.settings["sweep_batch"])
    do = partial(settle, context)
    retries.each(taken, do, context.log, "sweep_failed", step=settle.__name__)
