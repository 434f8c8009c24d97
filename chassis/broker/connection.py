"""py-amqp's connections, as we open, use and end them."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import kombu.connection
from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import RecoverableConnectionError
from nameko.constants import AMQP_URI_CONFIG_KEY

from chassis import outages
from chassis.broker import tls
from chassis.broker.frame_buffer import FrameBuffer
from chassis.broker.frames import tolerant_frame_handler
from chassis.errors import Unavailable
from chassis.outages import outage_of

#: Seconds of silence after which either side calls the other dead (twice that, at the worst), when
#: `AMQP_HEARTBEAT` does not say it.
HEARTBEAT = 10

#: Seconds for one connection attempt, handshake included.
CONNECT_TIMEOUT = 5


#: What it means when the broker is away: nobody listens, or the connection was ended. What it has
#: against us (a right that is missing, say) is an answer.
AWAY = (OSError, RecoverableConnectionError)


class BrokerUnavailable(Unavailable):
    """The broker is away, or short of memory or disk and taking nothing."""

    code = "broker_unavailable"
    title = "The message broker is away"


def broker_outage(config: Mapping[str, Any]) -> outages.Outage:
    """Of the broker, for all connections of this process."""
    return outage_of("RabbitMQ", config[AMQP_URI_CONFIG_KEY])


def connect(
    config: Mapping[str, Any], name: str, heartbeat: float | None = None, *, buffered: bool = True
) -> Any:
    """An open `amqp.Connection` that the management UI lists as `name`.

    `heartbeat` in seconds instead of the setting's; 0 is for who does not read all the time.
    `buffered`: what one turn of eventlet's hub sends goes out together. A command that runs without
    the hub does without.
    """
    writer = {"frame_writer": partial(FrameBuffer, on_stuck=cut)} if buffered else {}
    uri = config[AMQP_URI_CONFIG_KEY]
    if heartbeat is None:
        heartbeat = config.get("AMQP_HEARTBEAT", HEARTBEAT)
    client = kombu.connection.Connection(
        uri,
        ssl=tls.options(uri, config.get("AMQP_TLS") or {}),
        heartbeat=heartbeat,
        connect_timeout=CONNECT_TIMEOUT,
        transport_options={
            "client_properties": {"connection_name": name},
            "frame_handler": tolerant_frame_handler,
            **writer,
        },
    )
    connection = client.transport.establish_connection()
    connection.transport.sock.settimeout(None)  # that of the handshake stays with TLS
    return connection


def hang_up(connection: Any) -> None:
    """Close a connection without the closing messages of TLS, which would wait for a broker that
    may be gone."""
    transport = connection._transport  # `transport` warns when there is none any more
    if transport is not None and transport.sock is not None:
        cut(connection)
        transport.sock.close()
        transport.sock = None
    connection.collect()


def send(channel: Any, message: Message, exchange: str, routing_key: str, mandatory: bool) -> None:
    """Publish without waiting.

    `Channel.basic_publish` reads from the socket before each message, which the reader of the
    connection already does; this is the same call without that read. py-amqp locks the frame
    buffer itself, so any greenthread may publish.
    """
    channel.send_method(
        spec.Basic.Publish, "Bssbb", (0, exchange, routing_key, mandatory, False), message
    )


def cut(connection: Any) -> None:
    """Have the greenthread that reads from `connection` wake up and find it closed.

    Closing the socket instead would take it from eventlet's hub, and the reader would never wake.
    That of TLS would forget what it is, so it is done by a twin.
    """
    with suppress(OSError, AttributeError):  # closed already
        sock = connection.transport.sock
        with socket.fromfd(sock.fileno(), sock.family, sock.type) as twin:
            twin.shutdown(socket.SHUT_RDWR)
