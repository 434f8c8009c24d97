"""Carries outbox rows to the broker."""

import time
from logging import getLogger
from typing import Any

import eventlet
import orjson
from eventlet.event import Event
from sqlalchemy import BigInteger, Row, any_, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from chassis import outages
from chassis.broker.confirmed_publisher import ConfirmedPublisher, OutgoingMessage
from chassis.broker.message import CONTENT, headers_of
from chassis.broker.topology import exchange_of
from chassis.clock import Clock
from chassis.database import database_of
from chassis.observers import observers_of
from chassis.steps import Step
from chassis.tables import OUTBOX

log = getLogger(__name__)

#: Rows in one go.
BATCH = 200

#: Seconds from the begin of one batch to that of the next: what is recorded meanwhile goes with it,
#: as many rows cost little more than one. A relay that has rested for longer begins at once.
PACE = 0.02

#: Seconds between two looks when nobody wakes the relay: what a crashed instance left behind.
SWEEP = 3.0

#: Seconds until a row that the broker has refused is tried again. The others go first, so that
#: one event without a queue holds up nobody.
PUT_OFF = 5

#: Events are safe with the broker; their rows do not say so.
PUBLISHED = Step("events.published")

_UNSENT = (
    select(OUTBOX)
    .where(OUTBOX.c.sent_at.is_(None), OUTBOX.c.due_at <= func.now())
    .order_by(OUTBOX.c.id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)

_THESE = OUTBOX.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
_MARK_SENT = update(OUTBOX).where(_THESE).values(sent_at=func.now())
_PUT_OFF = (
    update(OUTBOX)
    .where(_THESE)
    .values(due_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, PUT_OFF))
)


class Relay:
    """Publishes what the outbox of a service's database holds.

    Several instances share the work by `SKIP LOCKED`. A crash between the broker's confirmation
    and our commit publishes an event again, which the inbox of its handlers recognises.
    """

    def __init__(self, container: Any, publisher: ConfirmedPublisher):
        self._database = database_of(container)
        self._publisher = publisher
        self._observers = observers_of(container)
        self._stopping = False
        self._wake = Event()

    def run(self) -> None:
        """Relay until `stop`."""
        while not self._stopping:
            began, relayed = time.monotonic(), 0
            try:
                relayed = self.relay_batch()
            except Exception as error:
                # Its text may hold a row, so only its kind is told.
                if not outages.is_logged(error):
                    log.warning("the outbox waits: %s", type(error).__name__)
            if relayed < BATCH:
                self._rest()
                if relayed:
                    eventlet.sleep(max(began + PACE - time.monotonic(), 0))

    def stop(self) -> None:
        self._stopping = True
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        if not self._wake.ready():
            self._wake.send()

    def relay_batch(self) -> int:
        """Publish the oldest unsent rows; returns how many are safe with the broker."""
        with self._database.reached(), self._database.engine.begin() as connection:
            rows = connection.execute(_UNSENT).all()
            if not rows:
                return 0
            headers = [row.headers | {"occurred_at": row.occurred_at.isoformat()} for row in rows]
            ends = list(map(self._observers.publishing, rows, headers))
            delivered = self._publisher.publish(list(map(_outgoing, rows, headers)))
            PUBLISHED.reached()
            now = Clock.source().timestamp()
            for end, safe in zip(ends, delivered, strict=True):
                if end is not None:
                    end(safe, now)
            sent = [row.id for row, safe in zip(rows, delivered, strict=True) if safe]
            refused = [row.id for row, safe in zip(rows, delivered, strict=True) if not safe]
            # A mark that a crash of the server loses is an event that is sent again, no more: the
            # disk need not be waited for.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            connection.execute(_MARK_SENT, {"ids": sent})
            if refused:
                connection.execute(_PUT_OFF, {"ids": refused})
            return len(sent)

    def _rest(self) -> None:
        with eventlet.Timeout(SWEEP, False):
            self._wake.wait()
        if self._wake.ready():
            self._wake.reset()


def _outgoing(row: Row[Any], headers: dict[str, Any]) -> OutgoingMessage:
    return OutgoingMessage(
        exchange_of(row.source),
        row.type,
        orjson.dumps(row.payload),
        {
            "message_id": str(row.event_id),
            "type": row.type,
            "app_id": row.source,
            "application_headers": headers_of(headers),
            **CONTENT,
        },
    )
