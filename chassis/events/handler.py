"""The handling side: one queue a handler, retries with growing pauses, then the dead letters."""

import datetime
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from logging import getLogger
from typing import Any

import orjson
from marshmallow import Schema, ValidationError
from nameko.events import EventHandler as NamekoEventHandler
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import SharedExtension

from chassis import deadline, outages
from chassis.broker import topology
from chassis.broker.confirmed_publisher import ConfirmedPublisher
from chassis.broker.declarations import Declarations
from chassis.broker.inbound import Inbound
from chassis.broker.message import data_of
from chassis.clock import Clock
from chassis.entrypoints import Exceptions, Measured, expected
from chassis.events.batches import Batches
from chassis.events.janitor import Janitor
from chassis.messages import AlreadyHandled, Event
from chassis.observers import observers_of
from chassis.steps import Step
from chassis.trace import trace_context_of, trace_id_of
from chassis.workers import workers_for_events

log = getLogger(__name__)

#: Seconds that one attempt at an event may take.
HANDLER_TIMEOUT = 60.0

#: How often an event was tried, in a header of the message.
ATTEMPTS = "x-attempts"

#: A handler has done its work; the broker does not know.
HANDLED = Step("events.handled")


class Poison(Exception):
    """A message that no attempt will make sense of."""


class EventWorkers(SharedExtension):
    """Bounds how many handlers of a service run at once.

    What waits here is bounded too: by the prefetch of the queues.
    """

    def __init__(self) -> None:
        super().__init__()
        self._free = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def setup(self) -> None:
        self._free = workers_for_events(self.container)

    def submit(self, start: Callable[[], None]) -> None:
        """Call `start` when a worker is free; it must lead to one call of `done`."""
        if self._free:
            self._free -= 1
            start()
        else:
            self._waiting.append(start)

    def done(self) -> None:
        if self._waiting:
            self._waiting.popleft()()
        else:
            self._free += 1


class Gathering(SharedExtension):
    """What gathers for the handlers of a service that take batches: one batch a method, whichever
    queues its events come from."""

    def __init__(self) -> None:
        super().__init__()
        self._batches: dict[str, Batches] = {}

    def batches_of(self, method: str, most: int) -> Batches:
        """Of this method, for all its queues the same; `most` events in one."""
        return self._batches.setdefault(method, Batches(most))


class EventHandler(Measured, NamekoEventHandler):
    """Handles events: `@event_handler("orders", "order_placed", OrderPlaced)`.

    The method gets one `Event`, its payload loaded by the schema. It is called again until it
    returns, so what it does belongs into `with self.db.once(event) as session`.

    With a `batch` it gets a list instead: what has come while it was busy, of all types that the
    method handles, so many at most, those of one type in their order. It works
    `with self.db.once_each(events) as (session, fresh)`. When a batch fails, each of its events is
    tried alone, so that one that can't be handled holds up no other.

    `expected_exceptions` and `sensitive_arguments` are Nameko's. Its handler types, and what it
    does when a handler fails, are not: one process of the service gets each event, and tries again.
    """

    kind = "event"
    queue_consumer = None  # of Nameko's own; `inbound` reads the queue
    inbound = Inbound()
    publisher = ConfirmedPublisher()
    workers = EventWorkers()
    gathering = Gathering()
    janitor = Janitor()

    no_ack = False

    def __init__(
        self,
        source_service: str,
        event_type: str,
        schema: type[Schema],
        *,
        batch: int | None = None,
        expected_exceptions: Exceptions = (),
        sensitive_arguments: str | tuple[str, ...] = (),
    ):
        super().__init__(
            source_service,
            event_type,
            expected_exceptions=expected(AlreadyHandled, expected_exceptions),
            sensitive_arguments=sensitive_arguments,
        )
        self.schema_class = schema
        self._schema = schema()
        self.queue = ""
        self.prefetch = 0
        self._most = batch
        self._batches: Batches | None = None

    def setup(self) -> None:
        self.queue = topology.queue_of(
            self.source_service, self.event_type, self.container.service_name, self.method_name
        )
        if self._most is None:
            self.prefetch = workers_for_events(self.container)
        else:
            self._batches = self.gathering.batches_of(self.method_name, self._most)
            self.prefetch = 2 * self._most  # while one batch is in work, the next one gathers
        self._observers = observers_of(self.container)
        self.inbound.register(self)
        self.janitor.keep_inbox_small()

    def stop(self) -> None:
        self.inbound.cancel(self)
        if self._batches is not None:
            self._batches.hurry()

    def declare(self, declarations: Declarations) -> None:
        declarations.retries()
        declarations.event_queue(
            self.source_service,
            self.event_type,
            self.container.service_name,
            self.method_name,
        )

    def on_lost(self) -> None:
        """Handlers go on; the broker delivers again, and the inbox knows what was done."""

    def on_message(self, message: Any) -> None:
        batches = self._batches
        if batches is None:
            self.workers.submit(partial(self._begin, message))
        elif batches.add((self, message)):
            self._submit_batch(batches)

    def _begin(self, message: Any) -> None:
        if message.channel.connection is None:
            self.workers.done()  # waited over a reconnection: it will be delivered again
            return
        try:
            event, data = self._read(message)
        except Poison as poison:
            self._dead_letter_aside(message, str(poison))
            self.workers.done()
            return
        deadline.begin(data, HANDLER_TIMEOUT)
        try:
            self.container.spawn_worker(
                self, (event,), {}, context_data=data, handle_result=partial(self._settle, message)
            )
        except ContainerBeingKilled:
            self.workers.done()  # not acknowledged: another instance gets it

    def _submit_batch(self, batches: Batches) -> None:
        batches.begin(partial(self.workers.submit, partial(self._begin_batch, batches)))

    def _begin_batch(self, batches: Batches) -> None:
        """Start the worker for what has gathered, but for what can't be read.

        The queues of a method share their batches: each message is read, put off and parked by the
        handler of its own queue.
        """
        taken, events = [], []
        for handler, message in batches.take():
            if message.channel.connection is None:
                continue  # waited over a reconnection: it will be delivered again
            try:
                events.append(handler._read(message)[0])
                taken.append((handler, message))
            except Poison as poison:
                handler._dead_letter_aside(message, str(poison))
        if not events:
            self._next_batch(batches)
            return
        data = dict(events[0].trace_context) if len(events) == 1 else {}
        deadline.begin(data, HANDLER_TIMEOUT)
        first, settle = taken[0][0], partial(self._settle_batch, batches, taken)
        try:
            self.container.spawn_worker(
                first, (events,), {}, context_data=data, handle_result=settle
            )
        except ContainerBeingKilled:
            self.workers.done()  # not acknowledged: another instance gets them

    def _settle_batch(
        self,
        batches: Batches,
        taken: Sequence[tuple["EventHandler", Any]],
        worker_ctx: Any,
        result: Any,
        exc_info: Any,
    ) -> tuple[Any, Any]:
        first, message = taken[0]
        try:
            if exc_info is None:
                HANDLED.reached(first)
                for _, done in taken:
                    self.inbound.ack(done)
            elif len(taken) > 1:
                if not outages.is_logged(exc_info[1]):
                    method = self.method_name
                    log.warning("%s failed with %d events, each alone", method, len(taken))
                batches.split(taken)
            else:
                self.inbound.settle(message, first._again_later(message, exc_info[1]))
        except Exception:  # whatever it is, it must not end the service
            log.exception("an event could not be settled, it will be delivered again")
            self.inbound.settle(message, False)
        finally:
            self._next_batch(batches)
        return result, exc_info

    def _next_batch(self, batches: Batches) -> None:
        """Let others have the worker first."""
        self.workers.done()
        if batches.go_on():
            self._submit_batch(batches)

    def _dead_letter_aside(self, message: Any, reason: str) -> None:
        """Off the reader of the connection, which must not wait for the broker."""
        self.container.spawn_managed_thread(
            lambda: self.inbound.settle(message, self._dead_letter(message, reason)),
            identifier="dead letter",
        )

    def _read(self, message: Any) -> tuple[Event, dict[str, Any]]:
        """The event, and the context data that came with it; raises `Poison`, whatever is wrong
        with the message."""
        try:
            data = data_of(message.headers)
            payload = self._schema.load(orjson.loads(message.body))
            event = Event(
                id=uuid.UUID(message.properties["message_id"]),
                source=self.source_service,
                type=self.event_type,
                occurred_at=datetime.datetime.fromisoformat(data["occurred_at"]),
                payload=payload,
                request_id=data.get("request_id"),
                trace_id=trace_id_of(data.get("traceparent")),
                trace_context=trace_context_of(data),
            )
            age = Clock.source().timestamp() - event.occurred_at.timestamp()
            self._observers.received(self.method_name, event, max(age, 0))
            return event, data
        except ValidationError as invalid:
            raise Poison(
                f"payload not as expected: {sorted(invalid.normalized_messages())}"
            ) from None
        except KeyError as missing:
            raise Poison(f"without {missing}") from None
        except (ValueError, TypeError) as error:
            raise Poison(f"not an event: {type(error).__name__}") from None
        except Exception as error:
            log.exception("%s: a message that nobody foresaw", self.queue)
            raise Poison(type(error).__name__) from None

    def _settle(self, message: Any, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        try:
            is_safe = exc_info is None or isinstance(exc_info[1], AlreadyHandled)
            if is_safe:
                HANDLED.reached(self)
            self.inbound.settle(message, is_safe or self._again_later(message, exc_info[1]))
        except Exception:  # whatever it is, it must not end the service
            log.exception("an event could not be settled, it will be delivered again")
            self.inbound.settle(message, False)
        finally:
            self.workers.done()
        return result, exc_info

    def _again_later(self, message: Any, error: BaseException) -> bool:
        headers = dict(message.headers or {})
        attempt = _count(headers.get(ATTEMPTS)) + 1
        if attempt > len(topology.RETRY_DELAYS):
            return self._dead_letter(message, f"{type(error).__name__} after {attempt} attempts")
        self._observers.retried(self.method_name)
        delay = topology.RETRY_DELAYS[attempt - 1]
        if not outages.is_logged(error):
            log.warning("%s failed (attempt %d), again in %d s", self.queue, attempt, delay)
        return self.publisher.forward(
            message, topology.retry_exchange(delay), self.queue, headers | {ATTEMPTS: attempt}
        )

    def _dead_letter(self, message: Any, reason: str) -> bool:
        return self.publisher.dead_letter(message, self.container.service_name, self.queue, reason)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


event_handler = EventHandler.decorator
