"""The routes: a module for each resource, whose classes the gateway inherits.

A route says who may call it and what it takes and answers; its method makes the RPC. The proxy to a
service is declared beside its own routes.
"""

import importlib
import pkgutil


def routes_classes() -> list[type]:
    """The classes named `…Routes` of the modules in this folder."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    return [
        value
        for module in modules
        for name, value in vars(module).items()
        if name.endswith("Routes") and value.__module__ == module.__name__
    ]
