"""Is nobody at work who would write into what is being restored?"""

from collections.abc import Iterable, Mapping

import pika
import sqlalchemy as sa

from chassis.broker.topology import queue_of, rpc_queue_of
from shop.options import CannotTell
from shop.verify.events import handlers

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def check_services(connection: pika.BlockingConnection, services: Iterable[str]) -> None:
    """Raise `CannotTell` when one of them reads its queue; the queues have to be there."""
    channel = connection.channel()
    running = [
        service
        for service in services
        if channel.queue_declare(rpc_queue_of(service), passive=True).method.consumer_count
    ]
    if running:
        raise CannotTell("stop the services first", f"running: {', '.join(running)}")


def check_databases(databases: Mapping[str, sa.Connection]) -> None:
    """Raise `CannotTell` when somebody else is connected to one of them."""
    for package, connection in databases.items():
        if others := connection.scalar(sa.text(_OTHERS)):
            connections = f"{others} to the database of {package}"
            raise CannotTell("end the connections first", connections)


def event_queues() -> list[str]:
    """The queues of all handlers."""
    return [
        queue_of(source, event, *handler.split(".", 1))
        for handler, _, events in handlers()
        for source, event in events
    ]
