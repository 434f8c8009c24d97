"""Asks a service how it is, over RabbitMQ, as any caller would.

Written on bare AMQP: a container's health check runs every few seconds, and importing Nameko would
cost more than all that the check is about.
"""

import json
import time
import uuid
from urllib.parse import unquote, urlsplit

import amqp

from chassis.broker import tls
from chassis.broker.topology import RPC_EXCHANGE, reply_key, reply_queue_of


def ask(uri: str, service: str, patience: float = 3) -> str:
    """ "ok", or in a few words what is wrong."""
    try:
        connection = connect(uri, patience)
    except (OSError, amqp.AMQPError) as error:
        return f"no broker ({error})"
    try:
        return _ask(connection, service, patience)
    except (OSError, amqp.AMQPError):
        return "no answer"
    finally:
        connection.collect()


def connect(uri: str, patience: float) -> amqp.Connection:
    """An open connection; raises OSError or AMQPError."""
    parts = urlsplit(uri)
    secure = tls.options(uri, tls.files_of_environment())
    connection = amqp.Connection(
        host=f"{parts.hostname}:{parts.port or (5671 if secure else 5672)}",
        userid=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
        ssl=secure or False,
        connect_timeout=patience,
        read_timeout=patience,
    )
    connection.connect()
    return connection


def _ask(connection: amqp.Connection, service: str, patience: float) -> str:
    replies: list[amqp.Message] = []
    returned: list[object] = []
    blocked: list[str] = []
    connection.on_blocked = blocked.append
    channel = connection.channel()
    # In the name of the service, whose user may call it but no other.
    process = str(uuid.uuid4())
    queue = reply_queue_of(service, process)
    channel.queue_declare(
        queue, exclusive=True, auto_delete=True, arguments={"x-queue-type": "classic"}
    )
    channel.queue_bind(queue, RPC_EXCHANGE, reply_key(service, process, "*"))
    channel.basic_consume(queue, no_ack=True, callback=replies.append)
    channel.events["basic_return"].add(lambda *args: returned.append(args))
    call = amqp.Message(
        json.dumps({"args": [], "kwargs": {}}),
        content_type="application/json",
        content_encoding="utf-8",
        reply_to=reply_key(service, process, service),
        correlation_id=queue,
        expiration=str(int(patience * 1000)),
    )
    channel.basic_publish(call, RPC_EXCHANGE, f"{service}.health", mandatory=True)
    until = time.monotonic() + patience
    while not replies and not returned:
        try:
            connection.drain_events(timeout=max(until - time.monotonic(), 0.01))
        except TimeoutError:
            if blocked:  # nor does it take the answer
                return "the broker is short of memory or disk"
            raise
    if returned:
        return "nobody there"
    answer = json.loads(replies[0].body)
    return "ok" if answer["error"] is None else str(answer["error"].get("value") or "failed")
