"""The dead-letter queues, walked letter by letter."""

from collections.abc import Callable, Mapping
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import NackError, UnroutableError, UnsupportedAMQPFieldException

from shop.operate.broker import depth, messages
from shop.operate.dead_letters.letter import Letter

#: Looks at a letter after which it is written anew. Each look counts as a delivery, and RabbitMQ 4
#: throws away what a quorum queue has delivered 20 times, when the queue names no other limit.
RENEW_AT = 10

#: What a copy keeps of the message's properties, besides its headers.
_KEPT = ("content_type", "content_encoding", "message_id", "type", "app_id")
_PERSISTENT = 2

#: Says of each letter whether it is done with; what is not stays where it is.
Sift = Callable[[BlockingChannel, Letter], bool]


def counts(connection: pika.BlockingConnection, queues: list[str]) -> dict[str, int]:
    """How many letters lie in each of those queues that are there."""
    found = {queue: depth(connection, queue) for queue in queues}
    return {queue: count for queue, count in found.items() if count is not None}


def sift(connection: pika.BlockingConnection, queue: str, done: Sift) -> None:
    """Show `done` each letter of a queue, the oldest first, and take away those it is done with.

    What is parked meanwhile is left for another time, so that a letter that comes right back is
    not seen twice. A letter is acknowledged after `done` has returned: whatever ends this program,
    it is in the queue, in another, or in both, never in none.
    """
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        renewing = False
        for number in range(messages(channel, queue)):
            method, properties, body = channel.basic_get(queue)
            if method is None:
                break  # another operator is at it
            letter = Letter.of(queue, properties, body)
            # The first has been looked at the most. All are renewed or none, to keep their order.
            renewing = letter.deliveries >= RENEW_AT if number == 0 else renewing
            if done(channel, letter) or (renewing and _renew(channel, letter)):
                channel.basic_ack(method.delivery_tag)
    finally:
        if channel.is_open:
            channel.close()  # which gives the others back


def put(channel: BlockingChannel, queue: str, letter: Letter, headers: Mapping[str, Any]) -> bool:
    """Publish a copy straight to a queue; whether it is safe there."""
    kept = {name: getattr(letter.properties, name) for name in _KEPT}
    properties = pika.BasicProperties(delivery_mode=_PERSISTENT, headers=dict(headers), **kept)
    try:
        channel.basic_publish("", queue, letter.body, properties, mandatory=True)
    except (UnroutableError, NackError, UnsupportedAMQPFieldException):
        return False
    return True


def _renew(channel: BlockingChannel, letter: Letter) -> bool:
    ours = {"x-parked-from": letter.origin, "x-parked-why": letter.why}
    if letter.parked_at is not None:
        ours["x-parked-at"] = letter.parked_at.isoformat()
    return put(channel, letter.queue, letter, letter.headers() | ours)
