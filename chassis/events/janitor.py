"""Keeps outbox and inbox from growing for ever."""

from logging import getLogger
from typing import Any

import eventlet
from nameko.extensions import SharedExtension
from sqlalchemy import text

from chassis import database, outages
from chassis.database import database_of

log = getLogger(__name__)

#: Seconds between two rounds, and rows that one statement deletes.
EVERY = 600.0
BATCH = 5000

#: How long a published event can be looked at.
OUTBOX_DAYS = 7
#: How long a repeat is recognised: longer than anyone replays a dead letter.
INBOX_DAYS = 30


_PURGE = (
    "DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table}"
    " WHERE {moment} < now() - make_interval(days => :days) LIMIT :batch"
    " FOR UPDATE SKIP LOCKED)"  # other instances do the same
)


class Janitor(SharedExtension):
    """Deletes old rows of the tables that a service uses, a bounded number at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._statements: dict[str, int] = {}
        self._thread: Any = None

    def keep_outbox_small(self) -> None:
        """To be called during `setup` by what publishes events."""
        self._statements[_PURGE.format(table="outbox", moment="sent_at")] = OUTBOX_DAYS

    def keep_inbox_small(self) -> None:
        """To be called during `setup` by what handles events."""
        self._statements[_PURGE.format(table="inbox", moment="handled_at")] = INBOX_DAYS

    def start(self) -> None:
        if not database.has(self.container):
            return  # handlers that apply nothing need no inbox
        self._thread = self.container.spawn_managed_thread(self.run, identifier="janitor")

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.kill()

    kill = stop

    def run(self) -> None:
        """Purge every now and then."""
        while True:
            try:
                self.purge()
            except Exception as error:  # another time, then
                if not outages.is_logged(error):
                    log.warning("old events stay for now: %s", type(error).__name__)
            eventlet.sleep(EVERY)

    def purge(self) -> None:
        """Delete what is old, in short transactions."""
        own = database_of(self.container)
        with own.reached(), database.statement_by_statement(own.engine) as connection:
            for statement, days in self._statements.items():
                values = {"days": days, "batch": BATCH}
                while connection.execute(text(statement), values).rowcount == BATCH:
                    pass
