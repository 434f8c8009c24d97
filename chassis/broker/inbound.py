"""What a service consumes: requests, replies and events, on one connection."""

from contextlib import suppress
from typing import Any, Protocol

import eventlet
from amqp.exceptions import AMQPError

from chassis.broker.declarations import Declarations
from chassis.broker.link import LinkExtension


class Consumer(Protocol):
    """One queue that `Inbound` reads."""

    queue: str
    prefetch: int
    no_ack: bool

    def declare(self, declarations: Declarations) -> None:
        """Declare the queue and its bindings; called after each (re)connection."""

    def on_message(self, message: Any) -> None:
        """Take one message; must not block, for everything else on the connection waits."""

    def on_lost(self) -> None:
        """The connection is gone: what was not acknowledged will be delivered again."""


class Inbound(LinkExtension):
    """The consuming connection of a service."""

    role = "consumer"

    def __init__(self) -> None:
        super().__init__()
        self._consumers: list[Consumer] = []
        self._cancelled: set[str] = set()

    def register(self, consumer: Consumer) -> None:
        """Add a queue; to be called during `setup`."""
        self._consumers.append(consumer)

    def cancel(self, consumer: Consumer) -> None:
        """Take no further messages from a queue; those in hand can still be acknowledged."""
        if consumer.queue in self._cancelled:
            return
        self._cancelled.add(consumer.queue)
        if self.connected:
            with suppress(OSError, AMQPError):  # gone, and with it the subscription
                self._link.channel.basic_cancel(consumer.queue, nowait=True)

    def ack(self, message: Any) -> None:
        """Acknowledge; nothing to do when the connection has gone, for the broker has the message
        again then."""
        with suppress(OSError, AMQPError):
            if message.channel.connection is not None:
                message.channel.basic_ack(message.delivery_tag)

    def settle(self, message: Any, safe: bool) -> None:
        """Acknowledge a message that was dealt with, or is `safe` elsewhere; else hand it back.

        Handing back waits a second, so that it is no hot loop: not to be called by the reader.
        """
        if safe:
            self.ack(message)
            return
        eventlet.sleep(1)
        with suppress(OSError, AMQPError):
            if message.channel.connection is not None:
                message.channel.basic_reject(message.delivery_tag, requeue=True)

    def on_open(self, channel: Any) -> None:
        declarations = Declarations(channel)
        for consumer in self._consumers:
            consumer.declare(declarations)
        declarations.close()
        for consumer in self._consumers:
            if consumer.queue not in self._cancelled:
                self._consume(channel, consumer)

    def _consume(self, channel: Any, consumer: Consumer) -> None:
        channel.basic_qos(0, consumer.prefetch, False)
        channel.basic_consume(
            consumer.queue,
            consumer_tag=consumer.queue,
            no_ack=consumer.no_ack,
            callback=lambda message: self._deliver(consumer, message),
        )

    def _deliver(self, consumer: Consumer, message: Any) -> None:
        # After a cancel, what is still under way goes back to the queue with the connection.
        if consumer.queue not in self._cancelled:
            consumer.on_message(message)

    def on_lost(self) -> None:
        for consumer in self._consumers:
            consumer.on_lost()
