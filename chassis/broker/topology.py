"""Every exchange and queue, in one place.

| name | what is in it |
| --- | --- |
| `rpc-<service>` | calls to a service (Nameko's own name and form) |
| `rpc.reply-<service>-<uuid>` | replies to one process; gone with its connection |
| `<service>.events` (exchange) | what a service tells the world; routing key = event type |
| `evt-<source>-<type>--<service>.<method>` | events for one handler (Nameko's own name) |
| `news-<source>-<type>--<uuid>` | broadcasts for one process; gone with its connection |
| `retry.<delay>` (exchange and queue) | events whose handler failed, waiting to go back |
| `<service>.dead-letters` | what a service could not handle, for an operator to look at |

Event queues are declared by every start and by `declare`, which `shop migrate` calls before
anything publishes: an event for a queue that was never declared would be lost to it.
"""

from collections.abc import Iterable
from typing import Any

from nameko.constants import AMQP_URI_CONFIG_KEY
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from chassis.broker.link import connect

#: Nameko's exchange for calls and replies.
RPC_EXCHANGE = "nameko-rpc"

#: Most messages in one queue; past it the broker refuses, and the outbox keeps what is refused.
QUEUE_LIMIT = 100_000

#: Deliveries of one message after which the broker itself parks it: a handler that takes the whole
#: process with it never gets to count its own attempts. RabbitMQ 4's default, absent from 3.x.
DELIVERY_LIMIT = 20

#: Seconds between the attempts at an event; after the last it is parked.
RETRY_DELAYS = (1, 5, 30, 120, 600)

_QUORUM = {
    # Written to disk and confirmed, also when the vhost's default type is another.
    "x-queue-type": "quorum",
    "x-max-length": QUEUE_LIMIT,
    "x-overflow": "reject-publish",
}


def rpc_queue_of(service: str) -> str:
    return f"rpc-{service}"


def exchange_of(source: str) -> str:
    return f"{source}.events"


def queue_of(source: str, event_type: str, service: str, method: str) -> str:
    return f"evt-{source}-{event_type}--{service}.{method}"


def dead_letters_of(service: str) -> str:
    return f"{service}.dead-letters"


def retry_exchange(delay: int) -> str:
    return f"retry.{delay}s"


def declare_rpc_queue(channel: Any, service: str) -> None:
    """The queue of a service's calls, as Nameko declares it."""
    channel.exchange_declare(RPC_EXCHANGE, "topic", durable=True, auto_delete=False)
    queue = rpc_queue_of(service)
    channel.queue_declare(queue, durable=True, auto_delete=False)
    channel.queue_bind(queue, RPC_EXCHANGE, f"{service}.*")
    declare_dead_letters(channel, service)


def declare_reply_queue(channel: Any, queue: str, routing_key: str) -> None:
    """A queue for the replies to one process. Exclusive: RabbitMQ 4.3 takes no other transient
    kind."""
    channel.exchange_declare(RPC_EXCHANGE, "topic", durable=True, auto_delete=False)
    # The type is said, for a vhost's default may be quorum, which is never transient.
    channel.queue_declare(
        queue,
        durable=False,
        exclusive=True,
        auto_delete=True,
        arguments={"x-queue-type": "classic"},
    )
    channel.queue_bind(queue, RPC_EXCHANGE, routing_key)


def declare_news_queue(channel: Any, source: str, news_type: str, queue: str) -> None:
    """A queue for what one process hears of a source's broadcasts; the oldest make room."""
    channel.exchange_declare(exchange_of(source), "topic", durable=True, auto_delete=False)
    channel.queue_declare(
        queue,
        durable=False,
        exclusive=True,
        auto_delete=True,
        arguments={"x-queue-type": "classic", "x-max-length": QUEUE_LIMIT},
    )
    channel.queue_bind(queue, exchange_of(source), news_type)


def declare_dead_letters(channel: Any, service: str) -> None:
    channel.queue_declare(
        dead_letters_of(service), durable=True, auto_delete=False, arguments=_QUORUM
    )


def declare_retries(channel: Any) -> None:
    """The waiting rooms, shared by all services.

    A message is published with its own queue as routing key; when its time is over, it is
    dead-lettered to the default exchange with that key, so back to where it came from. One queue
    a delay, for a queue only ever expires its head.
    """
    for delay in RETRY_DELAYS:
        name = retry_exchange(delay)
        channel.exchange_declare(name, "fanout", durable=True, auto_delete=False)
        arguments = _QUORUM | {
            "x-message-ttl": delay * 1000,
            "x-dead-letter-exchange": "",
            "x-dead-letter-strategy": "at-least-once",
        }
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_bind(name, name)


def declare_event_queue(
    channel: Any, source: str, event_type: str, service: str, method: str
) -> None:
    """The queue of one handler of one event type."""
    exchange, queue = exchange_of(source), queue_of(source, event_type, service, method)
    channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    arguments = _QUORUM | {
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead_letters_of(service),
        "x-dead-letter-strategy": "at-least-once",
    }
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
    channel.queue_bind(queue, exchange, event_type)


def declare(config: dict[str, Any], services: Iterable[type]) -> None:
    """Declare everything that `services` (Nameko service classes) need."""
    connection = connect(config[AMQP_URI_CONFIG_KEY], "topology", heartbeat=0, corked=False)
    try:
        channel = connection.channel()
        declare_retries(channel)
        for service in services:
            declare_rpc_queue(channel, service.name)
            for method, entrypoint in _entrypoints(service):
                if hasattr(entrypoint, "event_type"):
                    declare_event_queue(
                        channel,
                        entrypoint.source_service,
                        entrypoint.event_type,
                        service.name,
                        method,
                    )
        connection.close()
    finally:
        connection.collect()


def _entrypoints(service: type) -> Iterable[tuple[str, Any]]:
    for method in dir(service):
        for entrypoint in getattr(getattr(service, method), ENTRYPOINT_EXTENSIONS_ATTR, ()):
            yield method, entrypoint
