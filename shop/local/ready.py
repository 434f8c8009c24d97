"""Are the processes of the services there? RabbitMQ knows who reads their calls."""

import time
from collections.abc import Mapping
from contextlib import suppress

import amqp

from shop.health import connect
from shop.local.server import LocalError
from shop.packages import services_of

#: Seconds for RabbitMQ to answer, and between two questions.
_PATIENCE, _PAUSE = 5, 0.05


def consumers(uri: str, package: str) -> int:
    """How many processes of a package read the calls of all its services; LocalError when RabbitMQ
    can't tell."""
    try:
        connection = connect(uri, _PATIENCE)
    except (OSError, amqp.AMQPError) as error:
        raise LocalError(f"RabbitMQ does not answer ({error})") from None
    try:
        channel = connection.channel()
        return min(
            channel.queue_declare(f"rpc-{service}", passive=True).consumer_count
            for service in services_of(package)
        )
    except (OSError, amqp.AMQPError) as error:
        raise LocalError(f"{package}: RabbitMQ can't tell who is there ({error})") from None
    finally:
        with suppress(OSError, amqp.AMQPError):
            connection.close()


def await_consumers(uri: str, wanted: Mapping[str, int], seconds: float) -> None:
    """Return when so many processes of each package are there; LocalError if not in time."""
    until = time.monotonic() + seconds
    for package, count in wanted.items():
        while (there := consumers(uri, package)) < count:
            if time.monotonic() > until:
                raise LocalError(
                    f"{package}: {there} of {count} processes are ready after {seconds:.0f} s;"
                    " the log may say why"
                )
            time.sleep(_PAUSE)
