"""RabbitMQ as operators reach it: by pika, without the services' connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker

from chassis.broker import tls
from shop.options import CannotTell, WrongSetting

#: Seconds for a connection, for an answer, and for a broker that takes nothing for now.
_CONNECT, _ANSWER, _BLOCKED = 5, 30, 30


@contextmanager
def connected(uri: str) -> Iterator[pika.BlockingConnection]:
    """A connection; what goes wrong with it, now or while it is in use, is `CannotTell`."""
    parameters = parameters_of(uri)
    try:
        connection = pika.BlockingConnection(parameters)
    except (AMQPError, OSError) as error:
        raise CannotTell("the broker does not answer", _why(error)) from None
    try:
        yield connection
    except AMQPError as error:
        raise CannotTell("the broker has stopped answering", _why(error)) from None
    finally:
        if connection.is_open:
            connection.close()


def depth(connection: pika.BlockingConnection, queue: str) -> int | None:
    """How many messages wait in a queue; None when there is no such queue."""
    channel = connection.channel()
    try:
        return messages(channel, queue)
    except ChannelClosedByBroker as closed:
        if closed.reply_code == 404:
            return None
        raise
    finally:
        if channel.is_open:
            channel.close()


def messages(channel: BlockingChannel, queue: str) -> int:
    """How many messages wait in a queue that is there."""
    return channel.queue_declare(queue, passive=True).method.message_count


def parameters_of(uri: str) -> pika.URLParameters:
    """Raises `WrongSetting` for what is no address of a broker, or for files of certificates that
    are none."""
    scheme, separator, rest = uri.partition("://")
    if scheme not in ("amqp", "amqps", "pyamqp") or not separator:
        raise WrongSetting("AMQP_URI: not an address of a broker")
    try:
        parameters = pika.URLParameters(f"{scheme.removeprefix('py')}://{rest}")
    except (ValueError, TypeError):
        raise WrongSetting("AMQP_URI: not an address of a broker") from None
    if scheme == "amqps":
        try:
            trusted = tls.context(tls.files_of_environment())
        except OSError as error:
            raise WrongSetting(f"{' or '.join(tls.SETTINGS.values())}: {error}") from None
        parameters.ssl_options = pika.SSLOptions(trusted, parameters.host)
    parameters.connection_attempts = 1
    parameters.socket_timeout = _CONNECT
    parameters.stack_timeout = _ANSWER
    parameters.blocked_connection_timeout = _BLOCKED
    return parameters


def stock_settings(uri: str) -> dict[str, Any]:
    """What Nameko's own callers need to know of the broker."""
    return {"AMQP_URI": uri, "AMQP_SSL": tls.options(uri, tls.files_of_environment())}


def _why(error: BaseException) -> str:
    """pika wraps the reason, several times, and often has no text of its own."""
    for one in (error, *getattr(error, "args", ())):
        cause = getattr(one, "exception", one)
        if str(cause).strip():
            return str(cause)
    return type(error).__name__
