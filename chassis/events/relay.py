"""Carries events from the outbox to the broker."""

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from logging import getLogger
from typing import Any

import eventlet
from eventlet.event import Event
from sqlalchemy import ARRAY, UUID, any_, bindparam, exists, func, select, text, update

from chassis import outages
from chassis.broker.confirmed_publisher import ConfirmedPublisher, OutgoingMessage
from chassis.broker.message import CONTENT, headers_of
from chassis.broker.topology import exchange_of
from chassis.clock import Clock
from chassis.database import TIMEOUT, database_of, statement_by_statement
from chassis.observers import observers_of
from chassis.serialization import dumps
from chassis.steps import Step
from chassis.tables import OUTBOX

log = getLogger(__name__)

#: An outbox row, as it was recorded or read.
Row = Mapping[str, Any]

#: Rows in one go.
BATCH = 200

#: Seconds from the begin of one batch to that of the next: what is recorded meanwhile goes with it,
#: as many rows cost little more than one. A relay that has rested for longer begins at once.
PACE = 0.02

#: Rows that wait in memory at most; the sweep publishes those beyond.
MEMORY = 10_000

#: Seconds that a row waits in memory at most, while the broker does not answer or there is too much
#: to do; then the sweep publishes it.
PATIENCE = 2.0

#: Seconds until rows that are published are marked as sent, many at a time, and until rows are
#: tried again for which the broker had no answer.
SOON = 0.5

#: Seconds for which the sweep leaves a new row to the process that recorded it: longer than
#: `PATIENCE`, the confirmation and `SOON` take together. One that takes longer is published twice.
LEASE = 4

#: Seconds between two sweeps.
SWEEP = 3.0

#: Seconds until a row that the broker has refused is tried again. The others go first, so that
#: one event without a queue holds up nobody.
PUT_OFF = 5

#: Events are safe with the broker; their rows do not say so.
PUBLISHED = Step("events.published")

_DUE = OUTBOX.c.sent_at.is_(None) & (OUTBOX.c.due_at <= func.now())
_IS_DUE = select(exists().where(_DUE))
_UNSENT = (
    select(OUTBOX).where(_DUE).order_by(OUTBOX.c.id).limit(BATCH).with_for_update(skip_locked=True)
)

_IDS = bindparam("ids", type_=ARRAY(UUID))
# A mark that a crash of the server loses is an event that is sent again, no more: the disk need not
# be waited for. Both commands are one message and one transaction. What a sweep has in hand, that
# will mark.
_MARK_SENT = text(
    "SET LOCAL synchronous_commit = off;"
    " UPDATE outbox SET sent_at = now() WHERE id IN"
    " (SELECT id FROM outbox WHERE event_id = ANY(:ids) FOR UPDATE SKIP LOCKED)"
).bindparams(_IDS)
_PUT_OFF = (
    update(OUTBOX)
    .where(OUTBOX.c.event_id == any_(_IDS))
    .values(due_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, PUT_OFF))
)


class Relay:
    """Publishes what is recorded in the outbox of a service's database.

    What a process has recorded, it publishes from memory once that is committed (`hand_over`), in
    the order of the commits. What is left of it, as by a crash, the sweep of any instance reads
    from the table when its lease is over; they share the rows by `SKIP LOCKED`. A crash between the
    broker's confirmation and the mark publishes an event again, which the inbox of its handlers
    recognises.
    """

    def __init__(self, container: Any, publisher: ConfirmedPublisher):
        self._database = database_of(container)
        self._publisher = publisher
        self._observers = observers_of(container)
        self._stopping = False
        self._wake = Event()
        #: Rows that are committed, each with the moment since which it waits.
        self._recorded: deque[tuple[float, Row]] = deque()
        #: Ids of rows that are published and not marked. The oldest of too many are published
        #: again.
        self._unmarked: deque[uuid.UUID] = deque(maxlen=MEMORY)
        self._mark_at = self._sweep_at = 0.0

    def hand_over(self, rows: Sequence[Row]) -> None:
        """Publish `rows`, which are committed, as soon as may be."""
        since = time.monotonic()
        room = max(MEMORY - len(self._recorded), 0)
        self._recorded.extend((since, row) for row in rows[:room])
        self._awake()

    def run(self) -> None:
        """Relay until `stop`; then what is in memory."""
        while not self._stopping:
            began = time.monotonic()
            if self._unmarked and began >= self._mark_at:
                self._attempt(self._mark)
            relayed = self._attempt(self._publish_recorded)
            if began >= self._sweep_at:
                relayed = max(relayed, self._attempt(self._sweep))
            if relayed < BATCH:
                self._rest()
                if relayed:
                    eventlet.sleep(max(began + PACE - time.monotonic(), 0))
        while self._attempt(self._publish_recorded):
            pass
        self._attempt(self._mark)

    def stop(self) -> None:
        self._stopping = True
        self._awake()

    def _attempt(self, step: Callable[[], int]) -> int:
        """How many rows `step` has moved; 0 when it has failed and another time has to come, also
        because a server does not answer."""
        try:
            with eventlet.Timeout(TIMEOUT):
                return step()
        except (Exception, eventlet.Timeout) as error:
            # Its text may hold a row, so only its kind is told.
            if not outages.is_logged(error):
                log.warning("the outbox waits: %s", type(error).__name__)
            return 0

    def _publish_recorded(self) -> int:
        """Publish the oldest rows in memory, as long as they are ours."""
        waiting, now = self._recorded, time.monotonic()
        while waiting and waiting[0][0] < now - PATIENCE:
            waiting.popleft()
        rows = [row for _, row in islice(waiting, BATCH)]
        if not rows:
            return 0
        sent, refused = self._publish(rows)
        for _ in rows:
            waiting.popleft()
        if not self._unmarked:
            self._mark_at = now + SOON
        self._unmarked.extend(sent)
        if refused:
            self._write(_PUT_OFF, refused)
        return len(rows)

    def _mark(self) -> int:
        """Note of rows that they are published."""
        self._mark_at = time.monotonic() + SOON
        ids = list(self._unmarked)
        if ids:
            self._write(_MARK_SENT, ids)
            self._unmarked.clear()
        return len(ids)

    def _sweep(self) -> int:
        """Publish the oldest rows that are nobody's."""
        self._sweep_at = time.monotonic() + SWEEP
        with self._database.reached():
            with statement_by_statement(self._database.engine) as connection:
                if not connection.scalar(_IS_DUE):
                    return 0
            with self._database.engine.begin() as connection:
                rows = connection.execute(_UNSENT).mappings().all()
                if not rows:
                    return 0
                sent, refused = self._publish(rows)
                connection.execute(_MARK_SENT, {"ids": sent})
                connection.execute(_PUT_OFF, {"ids": refused})
        if len(rows) == BATCH:
            self._sweep_at = 0.0
        return len(sent)

    def _publish(self, rows: Sequence[Row]) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
        """The ids of the rows that are safe with the broker, and of those that it has refused."""
        headers = [
            {**row["headers"], "occurred_at": row["occurred_at"].isoformat()} for row in rows
        ]
        ends = list(map(self._observers.publishing, rows, headers))
        delivered = self._publisher.publish(list(map(_outgoing, rows, headers)))
        PUBLISHED.reached()
        now = Clock.source().timestamp()
        sent: list[uuid.UUID] = []
        refused: list[uuid.UUID] = []
        for row, end, is_safe in zip(rows, ends, delivered, strict=True):
            (sent if is_safe else refused).append(row["event_id"])
            if end is not None:
                end(is_safe, now)
        return sent, refused

    def _write(self, statement: Any, ids: list[uuid.UUID]) -> None:
        with self._database.reached(), statement_by_statement(self._database.engine) as connection:
            connection.execute(statement, {"ids": ids})

    def _rest(self) -> None:
        """Until something is handed over, or due."""
        now = time.monotonic()
        due = [self._sweep_at]
        if self._unmarked:
            due.append(self._mark_at)
        if self._recorded:
            due.append(now + SOON)
        with eventlet.Timeout(max(min(due) - now, 0), False):
            self._wake.wait()
        if self._wake.ready():
            self._wake.reset()

    def _awake(self) -> None:
        if not self._wake.ready():
            self._wake.send()


def _outgoing(row: Row, headers: dict[str, Any]) -> OutgoingMessage:
    return OutgoingMessage(
        exchange_of(row["source"]),
        row["type"],
        dumps(row["payload"]),
        {
            "message_id": str(row["event_id"]),
            "type": row["type"],
            "app_id": row["source"],
            "application_headers": headers_of(headers),
            **CONTENT,
        },
    )
