"""Gauges that a service's database is asked for, when somebody asks us.

All instances of a service report the same values, as they ask the same database: rules take the
`max`, never the `sum`.
"""

import time
from collections.abc import Iterator, Sequence
from logging import getLogger
from typing import Any

import sqlalchemy as sa
from eventlet import GreenPool, Timeout
from eventlet.semaphore import Semaphore

from chassis import outages
from chassis.clock import Clock
from chassis.config import Settings
from chassis.database import database_of
from chassis.gauges import Sample
from chassis.hooks import hooks_of

log = getLogger(__name__)

#: Seconds for which what was asked is good enough, however many ask us.
FRESH = 5.0
#: Seconds that the database has for all of a service's queries; each has one of them.
TIMEOUT = 1.5
#: Rows that a query counts at most, so that it stays fast when there are very many.
MOST = 100_000

_SHORT = sa.text("SET LOCAL statement_timeout = 1000")


class QueryCollector:
    """The latest results of a service's queries."""

    def __init__(self, container: Any):
        self.service = container.service_name
        self._container = container
        self._queries = [query for part in hooks_of(container) for query in part.queries]
        self._asked = float("-inf")
        self._one_at_a_time = Semaphore()
        self._samples: list[Sample] = []

    def samples(self) -> list[Sample]:
        """Not older than `FRESH`; `shop_database_up` is 0, and nothing else there, when the
        database does not answer in time."""
        with self._one_at_a_time:
            if time.monotonic() > self._asked + FRESH:
                self._samples = self._ask()
                self._asked = time.monotonic()
            return self._samples

    def _ask(self) -> list[Sample]:
        up = "Whether the database has answered the last question of this kind."
        try:
            with Timeout(TIMEOUT):
                return [*self._query(), Sample("shop_database_up", up, 1)]
        except (Exception, Timeout) as error:
            # Its text may hold an address or a statement.
            if not outages.is_logged(error):
                log.warning("the database gives no metrics: %s", type(error).__name__)
            return [Sample("shop_database_up", up, 0)]

    def _query(self) -> list[Sample]:
        values: dict[str, Any] = {"now": Clock.source(), "most": MOST}
        for dependency in self._container.dependencies:
            if isinstance(dependency, Settings):
                values |= dependency.values
        own = database_of(self._container)
        with own.reached(), own.engine.begin() as connection:
            connection.execute(_SHORT)
            return [
                sample for query in self._queries for sample in query.samples(connection, values)
            ]


def ask(collectors: Sequence[QueryCollector]) -> Iterator[tuple[str, Sample]]:
    """The samples of all of them, asked at once."""
    results = GreenPool().imap(QueryCollector.samples, collectors)
    for collector, samples in zip(collectors, results, strict=True):
        for sample in samples:
            yield collector.service, sample
