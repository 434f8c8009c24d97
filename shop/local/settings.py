"""The settings with which `shop run` starts the services, checked before they are started: each of
them would end with a line of its own, and be started again for ever."""

import inspect
import logging.config
from collections.abc import Iterator
from typing import Any

from shop.local.server import LOOPBACK
from shop.options import WrongSetting

#: Sections of config.yaml that several services or the gateway read; the others are services' own.
_SHARED_SECTIONS = {"identity", "live", "read_cache", "sessions", "tracing", "web"}
_WORKERS = {"max_workers", "max_workers_of"}
#: A service that is only made takes no port of those that run.
_NO_PORT = {"WEB_SERVER_ADDRESS": f"{LOOPBACK}:0", "METRICS_PORT": 0}


def check(config: dict[str, Any], services: list[type]) -> None:
    """Make each service, as it makes itself at its start; `WrongSetting`, with its line, for one
    that would not start."""
    from chassis.container import ServiceContainer
    from chassis.web.server import Server

    _check_sections(config, _SHARED_SECTIONS | set(_sections(services)))
    for service in services:
        try:
            container = ServiceContainer(service, config | _NO_PORT)
        except SystemExit as wrong:
            raise WrongSetting(wrong) from None
        for extension in container.extensions:
            if isinstance(extension, Server):
                extension.kill()  # closes its socket


def _sections(services: list[type]) -> Iterator[str]:
    from chassis.config import Settings

    for service in services:
        for _, settings in inspect.getmembers(service, lambda value: isinstance(value, Settings)):
            yield settings.section


def _check_sections(config: dict[str, Any], sections: set[str]) -> None:
    """What nobody reads is a slip. Names in capitals may be those of Nameko's extensions."""
    for name, section in config.items():
        if str(name).isupper():
            continue
        if name not in sections | _WORKERS:
            raise WrongSetting(f"config: {name}: Unknown section.")
        if name in sections and not isinstance(section, dict | None):
            raise WrongSetting(f"config: {name}: Not a section of settings.")
    if "LOGGING" in config:
        _check_logging(config["LOGGING"])


def _check_logging(section: Any) -> None:
    """Take the section, and leave this process as it was: it logs nothing."""
    try:
        logging.config.dictConfig(section)
    except SystemExit as wrong:
        raise WrongSetting(wrong) from None
    except Exception as error:  # whatever the classes that it names raise
        raise WrongSetting(f"config: LOGGING: {error.__cause__ or error}") from None
    finally:
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "root": {}})
        logging.getLogger().setLevel(logging.WARNING)
