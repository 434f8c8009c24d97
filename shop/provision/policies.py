"""The bounds of RabbitMQ's queues, as policies: operators change them while the shop runs.

RabbitMQ applies one policy to a queue, that of the highest priority. Ours have 0; what an operator
sets in them stays. See docs/capacity.md.
"""

from collections.abc import Callable, Iterator
from typing import Any

from chassis.broker.topology import DELIVERY_LIMIT
from shop.provision.management import Management

#: Messages. What is refused stays in the outboxes, which are tables: no queue needs more.
_MOST = 100_000
#: Calls that wait for one service: more than its callers would still want an answer to.
_MOST_CALLS = 20_000
#: Milliseconds that a call may wait whose caller names no deadline, as those of Nameko's own.
_CALL_TTL = 60_000

#: RabbitMQ from this version on drops or parks what a quorum queue has delivered 20 times, unless
#: told otherwise; it is the first that can be.
_KNOWS_UNLIMITED = (4, 0)


def set_policies(management: Management, say: Callable[[str], None]) -> None:
    """Make what is missing of the policies; a value that differs is an operator's, and stays."""
    for name, pattern, definition in _policies(management.version):
        path = ("policies", management.vhost, name)
        there = management.get(*path)
        changed = there["definition"] if there else {}
        for key in sorted(
            key for key in definition if changed.get(key, definition[key]) != definition[key]
        ):
            say(f"policy {name}: {key} is {changed[key]}, not {definition[key]}: left as it is")
        if there is None or definition.keys() - changed.keys():
            management.put(
                *path,
                pattern=there["pattern"] if there else pattern,
                definition=definition | changed,
                priority=there["priority"] if there else 0,
                **{"apply-to": there["apply-to"] if there else "queues"},
            )
            say(f"policy {name}: set")


def _policies(version: tuple[int, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, pattern of queues, definition."""
    limits = {"max-length": _MOST}
    yield "shop-events", "^evt-", limits | {"delivery-limit": DELIVERY_LIMIT}
    yield "shop-retries", r"^retry\.\d+s$", limits
    # To look at a dead letter is to have it delivered, and it must outlive that.
    unlimited = {"delivery-limit": -1} if version >= _KNOWS_UNLIMITED else {}
    yield "shop-dead-letters", r"\.dead-letters$", limits | unlimited
    # The oldest go first: they have the least time left.
    calls = {"max-length": _MOST_CALLS, "overflow": "drop-head"}
    yield "shop-calls", "^rpc-", calls | {"message-ttl": _CALL_TTL}
    yield "shop-replies", r"^rpc\.reply-", limits | {"overflow": "drop-head"}
