"""What the code of the services says of itself: their calls, and their events from both ends."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from chassis.events import EventOutbox
from chassis.events.broadcast import Broadcast
from chassis.events.handler import EventHandler
from chassis.rpc import RpcProxy
from chassis.rpc.server import Rpc
from shop.packages import load_services

#: Every service class of the shop, the gateway included.
SERVICES = load_services()


@dataclass(frozen=True)
class Handling:
    """One event type, as one method of one service takes it."""

    service: str
    method: str
    source: str
    type: str
    schema: type[Schema]

    def __str__(self) -> str:
        return self.queue

    @property
    def queue(self) -> str:
        """By Nameko's documentation."""
        return f"evt-{self.source}-{self.type}--{self.service}.{self.method}"


def calls() -> dict[str, type[Schema] | None]:
    """`service.method` of every call, with the schema of its arguments."""
    return {
        f"{service.name}.{method}": entrypoint.schema_class
        for service, method, entrypoint in _entrypoints(Rpc)
    }


def answers() -> dict[str, type[Schema] | None]:
    """The same with the schema of its answer; None where nothing is answered."""
    return {
        f"{service.name}.{method}": entrypoint.answer_class
        for service, method, entrypoint in _entrypoints(Rpc)
    }


def handlings() -> list[Handling]:
    """Every event handler, once for each event type that it takes."""
    return [
        Handling(
            service.name,
            method,
            entrypoint.source_service,
            entrypoint.event_type,
            entrypoint.schema_class,
        )
        for service, method, entrypoint in _entrypoints(EventHandler)
    ]


def published() -> dict[tuple[str, str], Schema]:
    """The schema of every event, by the service that publishes it and its type."""
    return _schemas(EventOutbox)


def broadcast() -> dict[tuple[str, str], Schema]:
    """The same of every broadcast."""
    return _schemas(Broadcast)


def named_errors() -> set[tuple[str, type]]:
    """The errors that services tell apart when they call others: (called service, its class)."""
    return {
        (proxy.target_service, error)
        for service in SERVICES
        for proxy in _attributes(service, RpcProxy)
        for error in proxy.errors
    }


def _schemas(kind: type) -> dict[tuple[str, str], Schema]:
    return {
        (service.name, event_type): schema
        for service in SERVICES
        for publisher in _attributes(service, kind)
        for event_type, schema in publisher.schemas.items()
    }


def _attributes(service: type, kind: type) -> list[Any]:
    return [value for _, value in inspect.getmembers(service) if isinstance(value, kind)]


def _entrypoints(kind: type) -> Iterator[tuple[type, str, Any]]:
    for service in SERVICES:
        for method in dir(service):
            for found in getattr(getattr(service, method), ENTRYPOINT_EXTENSIONS_ATTR, ()):
                if isinstance(found, kind):
                    yield service, method, found
