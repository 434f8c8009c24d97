"""The rows of the table, by the names that `--only` takes; each makes a `Record` or several."""

from collections.abc import Callable

from bench.measures import Record
from bench.run import Run
from bench.works import (
    ablations,
    cached,
    checkout,
    cost,
    events,
    footprint,
    growth,
    kills,
    login,
    products,
    rpc,
    search,
    search_quality,
    tail,
)

WORKS: dict[str, Callable[[Run], list[Record]]] = {
    "ping": rpc.through_http,
    "rpc": rpc.alone,
    "detail": products.detail,
    "cached": cached.measure,
    "search": search.measure,
    "search-quality": search_quality.measure,
    "tail": tail.measure,
    "login": login.measure,
    # After all that compare what contenders show: from here on each has stock of its own.
    "checkout": checkout.measure,
    "events": events.measure,
    # Shops of their own.
    "growth": growth.measure,
    "cost": cost.measure,
    "footprint": footprint.measure,
    "ablations": ablations.measure,
    # And servers of its own.
    "kills": kills.measure,
}

#: What a shop exists for; the page begins with it.
HEADLINES = ("checkout", "cost")

#: What is measured only when it is named: it takes as long as all the others, and has no rivals.
APART = ("ablations",)

#: What a short run measures, and against whom.
QUICK_WORKS = ("ping", "detail", "cached", "checkout")
