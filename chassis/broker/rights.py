"""What RabbitMQ should let a process do, given the services that it runs.

Rights are patterns of names (https://www.rabbitmq.com/docs/access-control): what one may configure,
write to and read from, and for topic exchanges the routing keys that one may publish by and bind
with. Queues and exchanges that last are declared by whoever has all rights (`shop migrate`), so a
service need not be able to make or delete any: it configures the queues that go with its
connection, and no others.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from chassis.broker import topology
from chassis.broker.manifest import Manifest
from chassis.broker.topology import UUID

_METHOD = r"\w+"
_NOTHING = "^$"
_ANYTHING = ".*"


@dataclass(frozen=True, slots=True)
class Rights:
    """Patterns; `topics` has for each topic exchange those of routing keys, to write and to read
    by."""

    configure: str
    write: str
    read: str
    topics: Mapping[str, tuple[str, str]]


def rights_of(manifests: Iterable[Manifest]) -> Rights:
    """Of a process that runs all of these services."""
    manifests = tuple(manifests)
    services = _any_of(manifest.service for manifest in manifests)
    sources = {source for manifest in manifests for source, _ in _heard(manifest)}
    passing = [
        _name(topology.reply_queue_of, services, UUID),
        _name(topology.broadcast_queue_of, ".+", ".+", services, UUID),
    ]
    # A queue is written to by binding it, and never by its name: that takes the default exchange.
    own = [
        _name(topology.rpc_queue_of, services),
        _name(topology.queue_of, ".+", ".+", services, _METHOD),
        *passing,
    ]
    written = [
        re.escape(topology.RPC_EXCHANGE),
        _name(topology.exchange_of, services),
        _name(topology.dead_letters_of, services),
        _name(topology.retry_exchange, r"\d+"),
    ]
    read = [re.escape(topology.RPC_EXCHANGE)]
    if sources:
        read.append(_name(topology.exchange_of, _any_of(sources)))
    return Rights(
        configure=_whole(passing),
        write=_whole([*written, *own]),
        read=_whole([*read, *own]),
        topics=_topics(manifests, services),
    )


def _topics(manifests: tuple[Manifest, ...], services: str) -> dict[str, tuple[str, str]]:
    calls = [rf"{_any_of(manifest.calls)}\.{_METHOD}" for manifest in manifests if manifest.calls]
    topics = {
        topology.RPC_EXCHANGE: (
            _whole(
                [
                    *calls,
                    rf"{services}\.health",  # for a health check from beside the process
                    _name(topology.reply_key, ".+", UUID, services),
                    UUID,  # replies to Nameko's own callers, which no service of ours is
                ]
            ),
            _whole([rf"{services}\.\*", _name(topology.reply_key, services, UUID, r"\*")]),
        )
    }
    own_queue = _whole([_name(topology.queue_of, ".+", ".+", services, _METHOD)])
    for delay in topology.RETRY_DELAYS:
        topics[topology.retry_exchange(delay)] = (own_queue, _NOTHING)
    heard = defaultdict(set)
    for source, type_ in (pair for manifest in manifests for pair in _heard(manifest)):
        heard[topology.exchange_of(source)].add(re.escape(type_))
    for exchange in {
        topology.exchange_of(u.service) for u in manifests if u.publishes
    } | heard.keys():
        is_own = exchange in {topology.exchange_of(manifest.service) for manifest in manifests}
        topics[exchange] = (
            _ANYTHING if is_own else _NOTHING,
            _whole(sorted(heard[exchange])) if heard[exchange] else _NOTHING,
        )
    return topics


def _heard(manifest: Manifest) -> Iterable[tuple[str, str]]:
    yield from ((source, event_type) for source, event_type, _ in manifest.handles)
    yield from manifest.subscribes


def _name(form: Callable[..., str], *parts: str) -> str:
    """A pattern of the names that `form` of the topology makes of such parts."""
    marks = [f"PART{number}" for number in range(len(parts))]
    pattern = re.escape(form(*marks))
    for mark, part in zip(marks, parts, strict=True):
        pattern = pattern.replace(mark, part)
    return pattern


def _any_of(names: Iterable[str]) -> str:
    return f"({'|'.join(sorted(map(re.escape, names)))})"


def _whole(patterns: Iterable[str]) -> str:
    return f"^({'|'.join(patterns)})$"
