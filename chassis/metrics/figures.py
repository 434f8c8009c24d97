"""Gauges that a service's database is asked for, when somebody asks us.

Every instance of a service tells the same, for they ask the same database: rules take the `max`,
never the `sum`.
"""

import time
from collections.abc import Iterator, Sequence
from logging import getLogger
from typing import Any

import sqlalchemy as sa
from eventlet import GreenPool, Timeout
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider

from chassis import database, outages
from chassis.clock import Clock
from chassis.config import Settings
from chassis.metrics.query import Query
from chassis.metrics.reading import Reading

log = getLogger(__name__)

#: Seconds for which what was asked is good enough, however many ask us.
FRESH = 5.0
#: Seconds that the database has for all of a service's queries; each has one of them.
PATIENCE = 1.5
#: Rows that a query counts at most, so that a heap of them does not make it slow.
MOST = 100_000

_SHORT = sa.text("SET LOCAL statement_timeout = 1000")


class Figures(DependencyProvider):
    """Has the service's database asked these queries at each scrape."""

    def __init__(self, *queries: Query):
        self.queries = queries


class Look:
    """What the queries of a service have told last."""

    def __init__(self, container: Any):
        self.service = container.service_name
        self._container = container
        self._queries = [
            query
            for dependency in container.dependencies
            for query in getattr(dependency, "queries", ())
        ]
        self._asked = float("-inf")
        self._one_at_a_time = Semaphore()
        self._readings: list[Reading] = []

    def readings(self) -> list[Reading]:
        """Not older than `FRESH`; `shop_database_up` is 0, and nothing else there, when the
        database does not answer in time."""
        with self._one_at_a_time:
            if time.monotonic() > self._asked + FRESH:
                self._readings = self._ask()
                self._asked = time.monotonic()
            return self._readings

    def _ask(self) -> list[Reading]:
        up = "Whether the database has answered the last question of this kind."
        try:
            with Timeout(PATIENCE):
                return [*self._told(), Reading("shop_database_up", up, 1)]
        except (Exception, Timeout) as error:
            # Its text may hold an address or a statement.
            if not outages.is_told(error):
                log.warning("the database tells no figures: %s", type(error).__name__)
            return [Reading("shop_database_up", up, 0)]

    def _told(self) -> list[Reading]:
        values: dict[str, Any] = {"now": Clock.source(), "most": MOST}
        for dependency in self._container.dependencies:
            if isinstance(dependency, Settings):
                values |= dependency.values
        own = database.of(self._container)
        with own.reached(), own.engine.begin() as connection:
            connection.execute(_SHORT)
            return [
                reading for query in self._queries for reading in query.readings(connection, values)
            ]


def ask(looks: Sequence[Look]) -> Iterator[tuple[str, Reading]]:
    """What all of them tell, asked at once."""
    for look, readings in zip(looks, GreenPool().imap(Look.readings, looks), strict=True):
        for reading in readings:
            yield look.service, reading
