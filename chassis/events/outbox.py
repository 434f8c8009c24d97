"""The publishing side: a row in the caller's transaction, then the relay."""

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from marshmallow import Schema
from nameko.extensions import DependencyProvider
from sqlalchemy.orm import Session

from chassis.broker.confirmed_publisher import ConfirmedPublisher
from chassis.clock import Clock
from chassis.database import after_commit
from chassis.events.janitor import Janitor
from chassis.events.relay import LEASE, Relay
from chassis.gauges import Query
from chassis.hooks import Hooks
from chassis.json_rows import as_json, insertion, with_documents
from chassis.tables import OUTBOX
from chassis.trace import trace_context_of
from chassis.validation import dump

#: Records the rows of `Recorder.event`, given as JSON in `events`; a part of larger statements too.
#: Before they are due, they are published by who has recorded them.
RECORDING = insertion(
    OUTBOX,
    "events",
    but={"id", "sent_at"},
    due_at=f"clock_timestamp() + interval '{LEASE} seconds'",
)
_RECORD = with_documents(RECORDING, "events")

#: What waits for the relay; of it the broker refused what is put off. What is new and not due is in
#: the hands of its process, or published and not marked yet.
WAITING = Query(
    f"""
    SELECT count(*) AS outbox_unsent, count(*) FILTER (WHERE due_at > now()) AS outbox_refused,
           extract(epoch FROM now() - min(occurred_at))::float AS outbox_oldest_seconds
    FROM (
        SELECT occurred_at, due_at FROM outbox
        WHERE sent_at IS NULL
            AND (due_at <= now() OR occurred_at <= now() - interval '{LEASE} seconds')
        ORDER BY id LIMIT :most
    ) AS unsent
    """,  # noqa: S608  (a number of ours)
    {
        "outbox_unsent": "Events that wait to be published, 100,000 at most.",
        "outbox_refused": "Those of them that the broker refused at the last try.",
        "outbox_oldest_seconds": "Age of the oldest of them; 0 when there is none.",
    },
)


class EventOutbox(Hooks, DependencyProvider):
    """Injects `record(session, type, payload)`.

    `schemas` maps each event type that the service publishes to the marshmallow schema that dumps
    its payload.
    """

    queries = (WAITING,)
    publisher = ConfirmedPublisher()
    janitor = Janitor()

    publishes = True

    def __init__(self, schemas: Mapping[str, type[Schema]]):
        self.schemas = {event_type: schema() for event_type, schema in schemas.items()}
        self._relay: Relay | None = None
        self._thread: Any = None

    def setup(self) -> None:
        self.janitor.keep_outbox_small()

    def start(self) -> None:
        self._relay = Relay(self.container, self.publisher)
        self._thread = self.container.spawn_managed_thread(self._relay.run, "outbox relay")

    def stop(self) -> None:
        if self._relay is not None:
            self._relay.stop()
            self._thread.wait()

    def get_dependency(self, worker_ctx: Any) -> "Recorder":
        return Recorder(self, worker_ctx)

    def hand_over(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `Recorder.hand_over`."""
        if self._relay is not None:
            self._relay.hand_over(rows)


class Recorder:
    """The outbox, as a worker sees it."""

    def __init__(self, provider: EventOutbox, worker_ctx: Any):
        self._provider = provider
        self._worker_ctx = worker_ctx

    def record(self, session: Session, event_type: str, payload: Mapping[str, Any]) -> uuid.UUID:
        """Write the event into the transaction of `session`; returns its id.

        It is published if and only if that transaction commits. Raises KeyError as `event` does.
        """
        row = self.event(event_type, payload)
        session.execute(_RECORD, {"events": as_json([row])})
        if not session.in_nested_transaction():  # a savepoint may be rolled back by itself
            after_commit(session, partial(self._provider.hand_over, [row]))
        return row["event_id"]

    def event(self, event_type: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The outbox row of an event, for a statement with `RECORDING`, and for `hand_over`
        after its commit.

        Raises KeyError for a type that the service does not publish, or a payload without one of
        its fields.
        """
        body = dump(self._provider.schemas[event_type], payload)
        return {
            "event_id": uuid.uuid4(),
            "source": self._worker_ctx.service_name,
            "type": event_type,
            "payload": body,
            "headers": trace_context_of(self._worker_ctx.data),
            "occurred_at": Clock.source(),
        }

    def hand_over(self, *rows: Mapping[str, Any]) -> None:
        """Have `rows`, which a statement with `RECORDING` has recorded, published at once.

        They must be committed: what is handed over is told to the world.
        """
        self._provider.hand_over(rows)
