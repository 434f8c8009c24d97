"""Declares exchanges and queues, where they are missing.

Event queues are declared by every start and by `declare`, which `shop migrate` calls before
anything publishes: an event for a queue that was never declared would be lost to it.

Arguments say what has to be so for nothing to be lost, and how far bounds may go at all: they stay
as they are for as long as the queue is there. The bounds themselves are policies
(`shop.provision.policies`), which operators change when they need to.
"""

from collections.abc import Callable, Iterable
from typing import Any

from amqp.exceptions import AccessRefused, NotFound

from chassis.broker import topology
from chassis.broker.connection import connect, hang_up
from chassis.broker.manifest import manifest_of
from chassis.broker.topology import RPC_EXCHANGE, dead_letters_of, exchange_of

_QUORUM = {
    # Written to disk and confirmed, also when the vhost's default type is another.
    "x-queue-type": "quorum",
    "x-max-length": topology.QUEUE_CEILING,
    "x-overflow": "reject-publish",
}

#: Of what lives in memory, also when the vhost's default type is quorum.
_CLASSIC = {"x-queue-type": "classic"}


class Declarations:
    """Declares on `channel` what is not there yet.

    What is there is taken as it is: an earlier version, or an operator, may have given it other
    arguments, and services may not have the right to declare what outlives them.
    """

    def __init__(self, channel: Any, *, bind_anew: bool = False):
        """`bind_anew`: also bind what has been there already, in case its declaration was
        interrupted before the binding."""
        self._channel = channel
        self._bind_anew = bind_anew
        self._probe: Any = None
        self._known: set[tuple[str, str]] = set()

    def rpc_queue(self, service: str) -> None:
        """The queue of a service's calls, in Nameko's form."""
        self._exchange(RPC_EXCHANGE)
        queue = topology.rpc_queue_of(service)
        self._queue(queue, _CLASSIC)
        self._channel.queue_bind(queue, RPC_EXCHANGE, f"{service}.*")
        self.dead_letters(service)

    def reply_queue(self, service: str, process: str) -> None:
        """A queue for the replies to one process."""
        self._exchange(RPC_EXCHANGE)
        queue = topology.reply_queue_of(service, process)
        self._passing_queue(queue, _CLASSIC)
        self._channel.queue_bind(queue, RPC_EXCHANGE, topology.reply_key(service, process, "*"))

    def broadcast_queue(self, source: str, broadcast_type: str, queue: str) -> None:
        """A queue for the broadcasts that one process gets of a source; when it is full, the oldest
        are dropped."""
        self.events_of(source)
        self._passing_queue(queue, _CLASSIC | {"x-max-length": topology.BROADCAST_LIMIT})
        self._channel.queue_bind(queue, exchange_of(source), broadcast_type)

    def events_of(self, source: str) -> None:
        """The exchange for what a service publishes."""
        self._exchange(exchange_of(source))

    def dead_letters(self, service: str) -> None:
        """The queue, and an exchange that leads there and nowhere else."""
        name = dead_letters_of(service)
        made = (self._exchange(name, "fanout"), self._queue(name, _QUORUM))
        if any(made) or self._bind_anew:
            self._channel.queue_bind(name, name)

    def retries(self) -> None:
        """The delay queues, shared by all services.

        A message is published with its own queue as routing key; when its time is over, it is
        dead-lettered to the default exchange with that key, so back to where it came from. One
        queue a delay, for a queue only ever expires its head.
        """
        for delay in topology.RETRY_DELAYS:
            exchange, queue = topology.retry_exchange(delay), topology.retry_queue(delay)
            arguments = _QUORUM | {
                "x-message-ttl": delay * 1000,
                "x-dead-letter-exchange": "",
                "x-dead-letter-strategy": "at-least-once",
            }
            made = (self._exchange(exchange), self._queue(queue, arguments))
            if any(made) or self._bind_anew:
                self._channel.queue_bind(queue, exchange, "#")

    def event_queue(self, source: str, event_type: str, service: str, method: str) -> None:
        """The queue of one handler of one event type."""
        queue = topology.queue_of(source, event_type, service, method)
        self.events_of(source)
        arguments = _QUORUM | {
            "x-delivery-limit": topology.DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_letters_of(service),
            "x-dead-letter-strategy": "at-least-once",
        }
        self._queue(queue, arguments)
        self._channel.queue_bind(queue, exchange_of(source), event_type)

    def close(self) -> None:
        """Nothing more is to be declared."""
        if self._probe is not None:
            self._probe.close()

    def _exchange(self, name: str, kind: str = "topic") -> bool:
        """Whether it had to be made."""
        return self._make_if_missing(
            "exchange",
            name,
            lambda channel: channel.exchange_declare(name, kind, passive=True),
            lambda channel: channel.exchange_declare(name, kind, durable=True, auto_delete=False),
        )

    def _queue(self, name: str, arguments: dict[str, Any]) -> bool:
        """Whether it had to be made."""
        return self._make_if_missing(
            "queue",
            name,
            lambda channel: channel.queue_declare(name, passive=True),
            lambda channel: channel.queue_declare(
                name, durable=True, auto_delete=False, arguments=arguments
            ),
        )

    def _make_if_missing(
        self, kind: str, name: str, ask: Callable[[Any], Any], make: Callable[[Any], Any]
    ) -> bool:
        if (kind, name) in self._known:
            return False
        made = not self._is_there(ask)
        if made:
            try:
                make(self._channel)
            except AccessRefused:
                raise NotFound(
                    f"{kind} {name} is not there, and this user may not declare it:"
                    " `shop migrate` has to run first, as a user who may"
                ) from None
        self._known.add((kind, name))
        return made

    def _is_there(self, ask: Callable[[Any], Any]) -> bool:
        """Asked on a channel of its own, for the answer no closes it."""
        if self._probe is None:
            self._probe = self._channel.connection.channel()
        try:
            ask(self._probe)
        except NotFound:
            self._probe = None
            return False
        except AccessRefused:
            # From 4.2.6 on RabbitMQ tells only whom it concerns, which is not who writes there. Who
            # may declare it may also ask.
            self._probe = None
        return True

    def _passing_queue(self, queue: str, arguments: dict[str, Any]) -> None:
        """One that goes with its connection. Exclusive: RabbitMQ 4.3 takes no other transient
        kind."""
        self._channel.queue_declare(
            queue, durable=False, exclusive=True, auto_delete=True, arguments=arguments
        )


def declare(config: dict[str, Any], services: Iterable[type]) -> None:
    """Declare everything that `services` (Nameko service classes) need."""
    connection = connect(config, "topology", heartbeat=0, buffered=False)
    try:
        declarations = Declarations(connection.channel(), bind_anew=True)
        declarations.retries()
        for manifest in map(manifest_of, services):
            declarations.rpc_queue(manifest.service)
            if manifest.publishes:
                declarations.events_of(manifest.service)
            for source, event_type, method in manifest.handles:
                declarations.event_queue(source, event_type, manifest.service, method)
        connection.close()
    finally:
        hang_up(connection)
