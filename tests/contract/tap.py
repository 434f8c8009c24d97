"""What goes over the wire while a test runs, heard on a queue of its own."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import eventlet
import orjson
import pika
from eventlet.semaphore import Semaphore

from chassis.broker import topology
from chassis.rpc.client import ReplyListener
from tests.support import eventually


@dataclass(frozen=True)
class Call:
    """A request and its reply."""

    caller: str
    method: str
    kwargs: dict[str, Any]
    args: list[Any]
    result: Any
    error: dict[str, Any] | None

    @property
    def where(self) -> str:
        return f"{self.caller}→{self.method}"


@dataclass(frozen=True)
class Told:
    """An event or a broadcast."""

    source: str
    type: str
    payload: dict[str, Any]
    properties: pika.BasicProperties


@dataclass(frozen=True)
class Heard:
    """A message as it came."""

    exchange: str
    routing_key: str
    properties: pika.BasicProperties
    body: bytes


class Tap:
    """Hears everything on the exchanges of the running `containers`, from now on."""

    def __init__(self, uri: str, containers: Iterable[Any]):
        self._connection = pika.BlockingConnection(pika.URLParameters(uri + "?heartbeat=0"))
        self._channel = self._connection.channel()
        self._queue = f"tap-{uuid.uuid4()}"
        self._callers = {
            extension.queue: container.service_name
            for container in containers
            for extension in container.extensions
            if isinstance(extension, ReplyListener)
        }
        self._heard: list[Heard] = []
        self._channel.queue_declare(self._queue, exclusive=True)
        self._channel.queue_bind(self._queue, topology.RPC_EXCHANGE, "#")
        for container in containers:
            exchange = topology.exchange_of(container.service_name)
            self._channel.exchange_declare(exchange, "topic", durable=True)
            self._channel.queue_bind(self._queue, exchange, "#")
        self._turn = Semaphore()
        self._listening = eventlet.spawn(self._keep_listening)

    def close(self) -> None:
        with self._turn:
            self._listening.kill()
            self._connection.close()

    def calls(self) -> list[Call]:
        """All calls, once each of them has its answer."""
        return eventually(self._answered)

    def told(self) -> list[Told]:
        """All events and broadcasts."""
        return [
            Told(
                message.exchange.removesuffix(".events"),
                message.routing_key,
                orjson.loads(message.body),
                message.properties,
            )
            for message in self._listen()
            if message.exchange != topology.RPC_EXCHANGE
        ]

    def everything(self) -> bytes:
        """The bodies of all messages."""
        return b"\n".join(message.body for message in self._listen())

    def _answered(self) -> list[Call]:
        requests, replies = [], {}
        for message in self._listen():
            if message.exchange == topology.RPC_EXCHANGE:
                if message.properties.reply_to:
                    requests.append(message)
                elif message.body:  # what is empty is a knock at the broker
                    replies[message.properties.correlation_id] = orjson.loads(message.body)
        assert {one.properties.correlation_id for one in requests} == set(replies)
        return [self._call(one, replies[one.properties.correlation_id]) for one in requests]

    def _call(self, request: Heard, reply: dict[str, Any]) -> Call:
        asked = orjson.loads(request.body)
        return Call(
            self._callers[f"rpc.{request.properties.reply_to.rpartition('.')[0]}"],
            request.routing_key,
            asked["kwargs"],
            asked["args"],
            reply["result"],
            reply["error"],
        )

    def _keep_listening(self) -> None:
        """A request is gone when its caller's time is over, from our queue too: hear it before."""
        while True:
            self._listen()
            eventlet.sleep(0.2)

    def _listen(self) -> list[Heard]:
        with self._turn:
            while True:
                delivered, properties, body = self._channel.basic_get(self._queue, auto_ack=True)
                if delivered is None:
                    return self._heard
                message = Heard(delivered.exchange, delivered.routing_key, properties, body)
                self._heard.append(message)
