"""Queues that an earlier version, or an operator, has declared otherwise."""

import pytest

from chassis.broker import topology
from chassis.broker.declarations import declare
from tests.integration.chassis.world import Listener, Speaker

QUEUE = topology.queue_of("speaker", "said", "listener", "on_said")
BOX = topology.dead_letters_of("listener")
EARLIER = {"x-queue-type": "quorum", "x-max-length": 100_000, "x-overflow": "reject-publish"}
DEAD_LETTERED = {"x-dead-letter-exchange": "", "x-dead-letter-strategy": "at-least-once"}


@pytest.fixture
def earlier(channel):
    """The queues of version 0.1: calls without arguments, retries behind fanout exchanges, dead
    letters behind the default one."""
    to_box = {"x-delivery-limit": 20, "x-dead-letter-routing-key": BOX}
    queues = {"rpc-listener": None, "rpc-speaker": None, BOX: EARLIER}
    queues[QUEUE] = EARLIER | DEAD_LETTERED | to_box
    for delay in topology.RETRY_DELAYS:
        ttl = {"x-message-ttl": delay * 1000}
        queues[topology.retry_queue(delay)] = EARLIER | DEAD_LETTERED | ttl
    exchanges = [topology.retry_exchange(delay) for delay in topology.RETRY_DELAYS]

    def remove():
        for queue in queues:
            channel.queue_delete(queue)
        for exchange in (*exchanges, BOX):
            channel.exchange_delete(exchange)

    remove()
    for queue, arguments in queues.items():
        channel.queue_declare(queue, durable=True, arguments=arguments)
    for delay in topology.RETRY_DELAYS:
        queue = topology.retry_queue(delay)
        channel.exchange_declare(queue, "fanout", durable=True)
        channel.queue_bind(queue, queue)
    yield
    remove()
    for delay in topology.RETRY_DELAYS:
        channel.exchange_delete(topology.retry_queue(delay))


def test_calls_may_be_in_a_quorum_queue(earlier, call, start, channel):
    """Whoever has several nodes and wants calls to outlive one declares it so, and first."""
    channel.queue_delete("rpc-speaker")
    channel.queue_declare("rpc-speaker", durable=True, arguments={"x-queue-type": "quorum"})
    start(Speaker)
    assert call.speaker.plain(1) == [1, 2]


def test_they_are_taken_as_they_are(
    earlier, config, call, start, channel, rows, eventually, monkeypatch
):
    """Services start on them; an event is tried again, handled, and another one parked."""
    declare(config, [Speaker, Listener])
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1,))
    tries = []

    def fail_once_or_for_ever(event):
        tries.append(event.payload["text"])
        assert tries.count("mended") == 2

    monkeypatch.setattr(Listener, "during", staticmethod(fail_once_or_for_ever))
    start(Speaker, Listener)
    for text in ("broken", "mended"):
        call.speaker.say(text)
        eventually(lambda text=text: tries.count(text) == 2)
    heard = "SELECT text FROM notes WHERE text LIKE 'heard%'"
    assert eventually(lambda: [row.text for row in rows(heard)]) == ["heard mended"]
    eventually(lambda: channel.basic_get(BOX, auto_ack=True)[2] == b'{"text":"broken"}')
    assert call.listener.quick() == "quick"
