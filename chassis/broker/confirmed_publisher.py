"""What must not be lost: published persistently, and confirmed by the broker."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from logging import getLogger
from typing import Any

import eventlet
from amqp.basic_message import Message
from amqp.exceptions import AMQPError
from eventlet.semaphore import Semaphore
from nameko.extensions import SharedExtension

from chassis.broker.connection import AWAY, BrokerUnavailable, broker_outage, connect, hang_up, send
from chassis.broker.message import PERSISTENT
from chassis.broker.topology import dead_letters_of
from chassis.clock import Clock
from chassis.observers import observers_of

log = getLogger(__name__)

#: Seconds for the broker to confirm what was sent in one go.
TIMEOUT = 10

#: Headers that have RabbitMQ deliver to further queues, such as the one that a message came from.
ROUTING_HEADERS = ("CC", "BCC")


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message on its way."""

    exchange: str
    routing_key: str
    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)


class ConfirmedPublisher(SharedExtension):
    """Publishes in batches, `mandatory` and confirmed, on a connection opened when needed."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Semaphore()
        self._connection: Any = None
        self._channel: Any = None
        self._sent = 0
        self._open: set[int] = set()
        self._failed: set[int] = set()
        self._is_blocked = False
        self._dialled_at = 0.0
        self._outage: Any = None

    def setup(self) -> None:
        self._outage = broker_outage(self.container.config)

    def stop(self) -> None:
        self._hang_up()

    kill = stop

    def publish(self, messages: Sequence[OutgoingMessage]) -> list[bool]:
        """Publish `messages` in their order; for each, whether it is safe in a queue.

        False means that the broker has refused it: unroutable, or a queue is full. Raises
        `BrokerUnavailable` when it gives no answer, as while it is short of memory or disk;
        publishing again is then right, and may double.
        """
        with self._lock:
            timeout = eventlet.Timeout(TIMEOUT)
            try:
                if self._dialled_at < self._outage.lost_at and not self._is_blocked:
                    self._hang_up()  # it went with the broker; nobody reads from it, to find out
                if self._channel is None:
                    self._dial()
                while self._is_blocked:
                    self._connection.drain_events()
                first = self._publish(messages)
                while self._open:
                    self._connection.drain_events()
            except (OSError, AMQPError) as error:
                self._hang_up()
                fault = BrokerUnavailable(retry_after=1)
                if isinstance(error, AWAY):
                    self._outage.failed(fault, str(error))
                raise fault from None
            except BaseException as error:
                # While the broker reads from no publisher, it would not see that one has hung up:
                # with each that came instead, it had one more.
                if not (error is timeout and self._is_blocked):
                    self._hang_up()
                if error is timeout:
                    raise BrokerUnavailable(retry_after=1) from None
                raise
            finally:
                timeout.cancel()
            self._outage.works()
            return [tag not in self._failed for tag in range(first, first + len(messages))]

    def dead_letter(self, message: Any, service: str, queue: str, reason: str) -> bool:
        """Put a consumed `message` into the dead-letter queue of `service`; whether it is there."""
        log.error("dead-lettered a message from %s: %s", queue, reason)
        ours = {
            "x-parked-from": queue,
            "x-parked-why": reason,
            "x-parked-at": Clock.source().isoformat(),
        }
        target, is_there = dead_letters_of(service), False
        try:
            is_there = self.forward(message, target, queue, dict(message.headers or {}) | ours)
        except Exception as error:
            log.warning("headers that can't be written again: %s", type(error).__name__)
        # Some headers can be read but not written: too deep, or too long for a frame with ours.
        is_there = is_there or self.forward(message, target, queue, ours)
        if is_there:
            observers_of(self.container).dead_lettered(queue)
        return is_there

    def forward(
        self, message: Any, exchange: str, routing_key: str, headers: dict[str, Any]
    ) -> bool:
        """Publish a consumed `message` elsewhere, with `headers` in place of its own; whether it
        is there. While the broker takes no messages it waits: were the message handed back, each
        attempt would count against its deliveries."""
        keep = ("content_type", "content_encoding", "message_id", "type", "app_id")
        properties = {key: message.properties[key] for key in keep if key in message.properties}
        properties["application_headers"] = {
            key: value for key, value in headers.items() if key not in ROUTING_HEADERS
        }
        outgoing = OutgoingMessage(exchange, routing_key, message.body, properties)
        while True:
            try:
                return self.publish([outgoing])[0]
            except BrokerUnavailable:
                if not self._is_blocked:
                    return False

    def _publish(self, messages: Sequence[OutgoingMessage]) -> int:
        self._open.clear()
        self._failed.clear()
        first = self._sent + 1
        for outgoing in messages:
            self._sent += 1
            self._open.add(self._sent)
            # A return names no delivery tag, so the message carries it.
            properties = outgoing.properties | {
                "correlation_id": str(self._sent),
                "delivery_mode": PERSISTENT,
            }
            message = Message(outgoing.body, **properties)
            send(self._channel, message, outgoing.exchange, outgoing.routing_key, mandatory=True)
        return first

    def _dial(self) -> None:
        # No heartbeat: between batches nobody reads. A connection that died meanwhile shows at the
        # next batch, which fails and is sent again over a new one.
        name = f"{self.container.service_name} courier"
        self._connection = connect(self.container.config, name, heartbeat=0)
        self._connection.on_blocked = self._on_blocked
        self._connection.on_unblocked = self._on_unblocked
        channel = self._connection.channel()
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        self._sent = 0
        self._dialled_at = time.monotonic()
        self._channel = channel

    def _hang_up(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        self._is_blocked = False
        if connection is not None:
            hang_up(connection)

    def _on_blocked(self, reason: str) -> None:
        self._is_blocked = True
        log.warning("the broker takes no messages for now (%s)", reason)

    def _on_unblocked(self) -> None:
        self._is_blocked = False

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._open -= {open_ for open_ in self._open if open_ <= tag} if multiple else {tag}

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._failed |= {open_ for open_ in self._open if open_ <= tag} if multiple else {tag}
        self._on_ack(tag, multiple)

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        log.error("no queue takes %s from exchange %s", routing_key, exchange)
        self._failed.add(int(message.properties["correlation_id"]))
