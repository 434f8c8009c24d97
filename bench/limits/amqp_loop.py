"""Request and reply over RabbitMQ with nothing around: two processes, py-amqp, blocking sockets.

What any RPC over RabbitMQ in Python has to do: publish with `reply_to` and `correlation_id`,
consume without acknowledgements, JSON on both ends. A fixed number of requests is in flight.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import click
import orjson

QUEUE = "bench-amqp-loop"

#: Messages between two looks at the clock.
STRIDE = 50


def connect(uri: str) -> amqp.Connection:
    """A connection to the broker at `uri`."""
    parts = urlsplit(uri)
    connection = amqp.Connection(
        f"{parts.hostname}:{parts.port or 5672}",
        userid=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
    )
    connection.connect()
    return connection


def publisher(channel: amqp.Channel) -> Callable[..., None]:
    """`basic_publish` without its look at the socket before each message, which costs as much as
    the message and would run one callback inside another."""
    frame = partial(channel.send_method, amqp.spec.Basic.Publish, "Bssbb")
    return lambda message, queue: frame((0, "", queue, False, False), message)


def serve(uri: str) -> None:
    """Answer what comes with what it says, until killed; says when it is ready."""
    connection = connect(uri)
    channel = connection.channel()
    publish = publisher(channel)
    channel.queue_declare(QUEUE, auto_delete=True, durable=False)

    def answer(message: amqp.Message) -> None:
        asked = orjson.loads(message.body)
        reply = amqp.Message(
            orjson.dumps({"n": asked["n"]}),
            correlation_id=message.properties["correlation_id"],
            content_type="application/json",
        )
        publish(reply, message.properties["reply_to"])

    channel.basic_consume(QUEUE, no_ack=True, callback=answer)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        connection.drain_events()


def ask(uri: str, seconds: float, in_flight: int) -> float:
    """Replies a second, with `in_flight` requests always under way; checks every reply."""
    connection = connect(uri)
    channel = connection.channel()
    publish = publisher(channel)
    replies = channel.queue_declare("", exclusive=True, durable=False).queue
    waiting: dict[str, int] = {}
    sent = received = 0

    def send() -> None:
        nonlocal sent
        call = str(sent)
        waiting[call] = sent
        request = amqp.Message(
            orjson.dumps({"n": sent}),
            correlation_id=call,
            reply_to=replies,
            content_type="application/json",
        )
        publish(request, QUEUE)
        sent += 1

    def take(message: amqp.Message) -> None:
        nonlocal received
        if orjson.loads(message.body)["n"] != waiting.pop(message.properties["correlation_id"]):
            raise ValueError("the reply to another request")
        received += 1
        send()

    channel.basic_consume(replies, no_ack=True, callback=take)
    for _ in range(in_flight):
        send()
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        for _ in range(STRIDE):
            connection.drain_events()
    connection.close()
    return received / passed


def measure(uri: str, seconds: float = 3.0, in_flight: int = 16) -> dict[str, Any]:
    """`{"rate"}`: requests a second."""
    command = [sys.executable, "-m", "bench.limits.amqp_loop", "--uri", uri, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            if server.stdout.readline() != "ready\n":
                raise RuntimeError("the answering side has ended")
            ask(uri, min(1.0, seconds / 3), in_flight)  # warm
            return {"rate": ask(uri, seconds, in_flight)}
        finally:
            server.kill()


@click.command()
@click.option("--uri", envvar="AMQP_URI", default="amqp://guest:guest@127.0.0.1:5672/")
@click.option("--seconds", default=3.0, show_default=True)
@click.option("--in-flight", default=16, show_default=True, help="Requests under way at once.")
@click.option("--serve", "is_server", is_flag=True, help="Be the answering side.")
def main(uri: str, seconds: float, in_flight: int, is_server: bool) -> None:
    """Measure requests and replies over RabbitMQ with nothing around them."""
    if is_server:
        serve(uri)
    else:
        click.echo(json.dumps(measure(uri, seconds, in_flight)))


if __name__ == "__main__":
    main()
