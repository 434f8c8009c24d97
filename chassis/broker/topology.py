"""The names of all exchanges and queues, and their bounds, in one place.

| name | what is in it |
| --- | --- |
| `rpc-<service>` | calls to a service (Nameko's own name and form) |
| `rpc.reply-<service>-<uuid>` | replies to one process; gone with its connection |
| `<service>.events` (exchange) | what a service publishes; routing key = event type |
| `evt-<source>-<type>--<service>.<method>` | events for one handler (Nameko's own name) |
| `news-<source>-<type>--<service>-<uuid>` | broadcasts for one process; gone with its connection |
| `retry.<delay>s` (queue) | events whose handler failed, waiting to go back |
| `retry-after.<delay>s` (exchange) | the way there; routing key = the queue to go back to |
| `<service>.dead-letters` (exchange, queue) | what a service could not handle, for an operator |

A name says whose it is, for RabbitMQ grants rights by patterns of names (`chassis.broker.rights`).
How they are declared: `chassis.broker.declarations`.
"""

import re
from functools import lru_cache

#: Nameko's exchange for calls and replies.
RPC_EXCHANGE = "nameko-rpc"

#: Most messages in one queue when no policy says less; past it the broker refuses, and the outbox
#: keeps what is refused. An argument of the queue, so it can't be raised while the queue is there.
QUEUE_CEILING = 1_000_000

#: Most broadcasts that wait for one process. No operator needs to change that: they are hints.
BROADCAST_LIMIT = 100_000

#: Deliveries of one message after which the broker itself dead-letters it: a handler that takes the
#: whole process with it never gets to count its own attempts. RabbitMQ 4's default, absent from
#: 3.x.
DELIVERY_LIMIT = 20

#: What stands for a process: written as Python writes UUIDs.
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

#: Where replies of any service may be asked for: by Nameko's own callers, and by ours.
_STOCK_ADDRESS = re.compile(UUID)
_OUR_ADDRESS = re.compile(rf"reply-.+-{UUID}\.(?P<callee>[^.]+)")

#: Seconds between the attempts at an event; after the last it becomes a dead letter.
RETRY_DELAYS = (1, 5, 30, 120, 600)


def rpc_queue_of(service: str) -> str:
    return f"rpc-{service}"


def reply_queue_of(service: str, process: str) -> str:
    """Where the replies to one process of `service` come; `process` is a UUID."""
    return f"rpc.{_replies_to(service, process)}"


def reply_key(service: str, process: str, callee: str) -> str:
    """By which `callee` replies; the queue is bound with `*` for it. As it is part of the key,
    RabbitMQ can refuse a reply that somebody else sends in its name."""
    return f"{_replies_to(service, process)}.{callee}"


@lru_cache(maxsize=1024)  # callers are few, and call often
def may_reply_to(address: str, service: str) -> bool:
    """Whether a reply of `service` can go there. RabbitMQ would close the connection of one that
    replies in the name of another."""
    ours = _OUR_ADDRESS.fullmatch(address)
    return ours["callee"] == service if ours else bool(_STOCK_ADDRESS.fullmatch(address))


def is_stock_address(address: str) -> bool:
    """Whether Nameko's own callers are replied to at `address`."""
    return _STOCK_ADDRESS.fullmatch(address) is not None


def _replies_to(service: str, process: str) -> str:
    return f"reply-{service}-{process}"


def exchange_of(source: str) -> str:
    return f"{source}.events"


def queue_of(source: str, event_type: str, service: str, method: str) -> str:
    return f"evt-{source}-{event_type}--{service}.{method}"


def broadcast_queue_of(source: str, broadcast_type: str, service: str, process: str) -> str:
    return f"news-{source}-{broadcast_type}--{service}-{process}"


def dead_letters_of(service: str) -> str:
    """The queue, and the exchange to it: who may write there must not be able to write
    elsewhere."""
    return f"{service}.dead-letters"


def retry_queue(delay: int) -> str:
    return f"retry.{delay}s"


def retry_exchange(delay: int) -> str:
    return f"retry-after.{delay}s"
