"""What timers do: index products, end reservations whose time is over, and forget old keys."""

from collections.abc import Callable

from chassis import idempotency
from products.context import Context
from products.models import RequestKey
from products.search import index as search_index
from products.stock import commands as stock_commands

#: Products that one transaction indexes, and transactions in one round.
INDEX_BATCH, INDEX_BATCHES = 100, 50


def index(context: Context) -> None:
    """Index products that were written without their search terms."""
    for _ in range(INDEX_BATCHES):
        with context.db.begin() as session:
            if search_index.index_stale(session, INDEX_BATCH) < INDEX_BATCH:
                return


def free_expired(context: Context, count: Callable[[int], None]) -> None:
    """End reservations whose time is over, and `count` them."""
    batch = context.settings["sweep_batch"]
    freed = batch
    while freed == batch:
        freed = stock_commands.expire(context, batch)
        count(freed)


def purge(context: Context) -> None:
    """Delete the keys of requests that are a day old."""
    idempotency.purge(context.db.begin, RequestKey, context.clock())
