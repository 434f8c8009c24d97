"""What a service does with the broker, read off its class."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, DependencyProvider


@dataclass(frozen=True, slots=True)
class Manifest:
    """Of one service: the events that it `handles` (source, type, method), the services that it
    `calls`, the broadcasts that it `subscribes` to (source, type), and whether it `publishes`
    events or broadcasts."""

    service: str
    handles: tuple[tuple[str, str, str], ...]
    calls: frozenset[str]
    subscribes: frozenset[tuple[str, str]]
    publishes: bool


def manifest_of(service: Any) -> Manifest:
    """Read off the entrypoints of a service class, and off the attributes `target_service`,
    `subscribes` and `publishes` of its dependencies."""
    dependencies = [
        value for _, value in inspect.getmembers(service) if isinstance(value, DependencyProvider)
    ]
    return Manifest(
        service=service.name,
        handles=tuple(
            (entrypoint.source_service, entrypoint.event_type, method)
            for method, entrypoint in _entrypoints(service)
            if hasattr(entrypoint, "event_type")
        ),
        calls=frozenset(d.target_service for d in dependencies if hasattr(d, "target_service")),
        subscribes=frozenset(each for d in dependencies for each in getattr(d, "subscribes", ())),
        publishes=any(getattr(d, "publishes", False) for d in dependencies),
    )


def _entrypoints(service: Any) -> Iterable[tuple[str, Any]]:
    for method in dir(service):
        for entrypoint in getattr(getattr(service, method), ENTRYPOINT_EXTENSIONS_ATTR, ()):
            yield method, entrypoint
