"""The packages that run as processes, found by their files: no list has their names.

Each folder with a `service.py` is one, except the chassis, and has a database if it has
`migrations/`. What needs names alone reads the folders: to import all services takes a second.
"""

import importlib
import inspect
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: The package that clients reach.
GATEWAY = "gateway"


def _packages_with(name: str) -> set[str]:
    return {path.parent.name for path in ROOT.glob(f"*/{name}")}


SERVICE_PACKAGES = (GATEWAY, *sorted(_packages_with("service.py") - {GATEWAY, "chassis"}))
DATABASE_PACKAGES = tuple(sorted(_packages_with("migrations")))


def load_services(packages: Iterable[str] = SERVICE_PACKAGES) -> list[type]:
    """The Nameko service classes of these packages, by name."""
    from chassis.service import Service

    modules = [importlib.import_module(f"{package}.service") for package in packages]
    services = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Service) and "name" in vars(value)
    }
    return sorted(services, key=lambda service: service.name)


def services_of(package: str) -> list[str]:
    """The names of the Nameko services in a process of this package."""
    return [service.name for service in load_services([package])]


def package_of(service: type) -> str:
    """The package of a Nameko service class."""
    return service.__module__.partition(".")[0]


def in_call_order() -> list[str]:
    """All packages, each after those that it calls. Raises `graphlib.CycleError`."""
    from chassis.rpc import RpcProxy

    services = load_services()
    packages = {service.name: package_of(service) for service in services}
    calls: dict[str, set[str]] = {package: set() for package in SERVICE_PACKAGES}
    for service in services:
        for _, proxy in inspect.getmembers(service, lambda value: isinstance(value, RpcProxy)):
            calls[package_of(service)].add(packages[proxy.target_service])
    graph = {package: sorted(called - {package}) for package, called in calls.items()}
    return list(TopologicalSorter(graph).static_order())
