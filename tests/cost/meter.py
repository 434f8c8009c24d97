"""Counts what a shop asks of its databases and its broker, from outside, by their protocols.

Statements are read off PostgreSQL's own protocol by a proxy on the way to the server
(https://www.postgresql.org/docs/current/protocol-message-formats.html): every `Query` is a round
trip, and one after which no transaction is open has ended one, as `pg_stat_database` counts
commits. Messages are copies that RabbitMQ's tracer makes of all that is published in the vhost
(https://www.rabbitmq.com/docs/firehose).
"""

import struct
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import eventlet
import pika
import requests

from chassis.broker import topology
from chassis.events import relay
from tests.proxy import Look, Proxy

#: Seconds without a statement or message after which whatever was begun has come to its end: longer
#: than published events wait for their mark.
QUIET = 3 * relay.SOON

_TRACER = "amq.rabbitmq.trace"


@dataclass
class Statement:
    """What a service has sent to its database; `ends` when it left no transaction open."""

    package: str
    sql: str
    ends: bool = False


class Meter:
    """The proxy is at `port`; `take()` gives what has come since the last time, once all is quiet.

    Idle connections say nothing, so there is nothing to switch on or off.
    """

    def __init__(self, database: tuple[str, int], amqp_uri: str, api: str):
        self._statements: list[Statement] = []
        self._proxy = Proxy(database, self._watch)
        self.port = self._proxy.port
        self._messages: list[str] = []
        vhost = urlsplit(amqp_uri).path.strip("/")
        requests.put(
            f"{api}/api/vhosts/{vhost}", json={"tracing": True}, timeout=10
        ).raise_for_status()
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp_uri + "?heartbeat=0"))
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(self._queue, _TRACER, "publish.#")

    def close(self) -> None:
        self._proxy.close()
        self._connection.close()

    def take(self) -> tuple[list[Statement], list[str]]:
        """The statements and the names of the messages since the last time."""
        seen = -1
        while seen != (seen := self._read()):
            eventlet.sleep(QUIET)
        taken = list(self._statements), list(self._messages)
        self._statements.clear()
        self._messages.clear()
        return taken

    def _read(self) -> int:
        while True:
            delivered, properties, body = self._channel.basic_get(self._queue, auto_ack=True)
            if delivered is None:
                return len(self._statements) + len(self._messages)
            if body:  # what is empty asks the broker whether it takes messages
                self._messages.append(_name(properties.headers))

    def _watch(self) -> tuple[Look, Look]:
        conversation = _Conversation(self._statements)
        return conversation.asked, conversation.answered


class _Conversation:
    """One connection to a database, as it goes by."""

    def __init__(self, statements: list[Statement]):
        self._statements = statements
        self._package = ""
        self._last: Statement | None = None
        self._begun = False
        self._from_client, self._from_server = b"", b""

    def asked(self, data: bytes) -> None:
        self._from_client += data
        while not self._begun:
            if len(self._from_client) < 8:
                return
            (length,) = struct.unpack_from("!I", self._from_client)
            if len(self._from_client) < length:
                return
            words = self._from_client[8:length].split(b"\0")
            pairs = dict(zip(words[::2], words[1::2], strict=False))
            self._from_client = self._from_client[length:]
            if b"database" in pairs:  # else it has asked for encryption
                self._begun = True
                self._package = pairs[b"database"].decode().rpartition("_")[2]
        self._from_client, messages = _messages(self._from_client)
        for kind, body in messages:
            if kind == b"Q":
                self._last = Statement(self._package, body.rstrip(b"\0").decode())
                self._statements.append(self._last)

    def answered(self, data: bytes) -> None:
        if not self._begun:
            return  # whether there is encryption: there is none
        self._from_server, messages = _messages(self._from_server + data)
        for kind, body in messages:
            if kind == b"Z" and self._last is not None:
                self._last.ends = body == b"I"


def _messages(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The whole messages in `data`, and what is left of it."""
    whole = []
    while len(data) >= 5:
        (length,) = struct.unpack_from("!I", data, 1)
        if len(data) < length + 1:
            break
        whole.append((data[:1], data[5 : length + 1]))
        data = data[length + 1 :]
    return data, whole


def _name(headers: dict[str, Any]) -> str:
    """Exchange and routing key; of a reply, who answers."""
    (key,) = headers["routing_keys"]
    is_request = "reply_to" in headers["properties"]
    if headers["exchange_name"] == topology.RPC_EXCHANGE and not is_request:
        return f"reply of {key.rpartition('.')[2]}"
    return f"{headers['exchange_name']} {key}"
