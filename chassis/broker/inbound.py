"""What a service consumes: requests, replies and events, on one connection."""

from contextlib import suppress
from typing import Any, Protocol

import eventlet
from amqp import spec
from amqp.exceptions import AMQPError

from chassis.broker.declarations import Declarations
from chassis.broker.reconnecting import BrokerConnection

#: Seconds for the broker to say that it sends no more from a queue, and how often to look.
FAREWELL, _LOOK = 2.0, 0.01


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


class Inbound(BrokerConnection):
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
        """Have the broker send no more from a queue; returns when it has said so.

        What it had sent by then is handed over: given back, it would come to others as if it may
        have been done. What is being worked on can still be acknowledged.
        """
        is_first = consumer.queue not in self._cancelled
        self._cancelled.add(consumer.queue)
        link = self._connection
        channel = link.channel if link is not None else None
        if link is None or channel is None:
            return
        with suppress(OSError, AMQPError), eventlet.Timeout(FAREWELL, False):
            if is_first:  # without a wait in it, for only the reader of the connection may read
                arguments = (consumer.queue, False)
                channel.send_method(spec.Basic.Cancel, "sb", arguments)
            while channel is link.channel and consumer.queue in channel.callbacks:
                eventlet.sleep(_LOOK)

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
            callback=consumer.on_message,
        )

    def on_lost(self) -> None:
        for consumer in self._consumers:
            consumer.on_lost()
