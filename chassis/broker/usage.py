"""What a service does with the broker, read off its class."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, DependencyProvider


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one service: the events it `handles` (source, type, method), the services it `calls`, the
    broadcasts it `hears` (source, type), and whether it `tells` events or broadcasts itself."""

    service: str
    handles: tuple[tuple[str, str, str], ...]
    calls: frozenset[str]
    hears: frozenset[tuple[str, str]]
    tells: bool


def usage_of(service: Any) -> Usage:
    """Dependencies say it by `target_service`, `hears` and `tells`."""
    dependencies = [
        value for _, value in inspect.getmembers(service) if isinstance(value, DependencyProvider)
    ]
    return Usage(
        service=service.name,
        handles=tuple(
            (entrypoint.source_service, entrypoint.event_type, method)
            for method, entrypoint in _entrypoints(service)
            if hasattr(entrypoint, "event_type")
        ),
        calls=frozenset(d.target_service for d in dependencies if hasattr(d, "target_service")),
        hears=frozenset(news for d in dependencies for news in getattr(d, "hears", ())),
        tells=any(getattr(d, "tells", False) for d in dependencies),
    )


def _entrypoints(service: Any) -> Iterable[tuple[str, Any]]:
    for method in dir(service):
        for entrypoint in getattr(getattr(service, method), ENTRYPOINT_EXTENSIONS_ATTR, ()):
            yield method, entrypoint
