"""Where the shop is that a command is for: the environment's, else this clone's."""

import os
from typing import Any

import click

from shop.options import WrongSetting

#: What `config.yaml` takes from the environment to find the servers.
_SERVERS = ("AMQP_URI", "DATABASE_URL")


def setting(name: str) -> str:
    """From the environment, else of this clone's shop; raises `WrongSetting` without either."""
    if value := os.environ.get(name):
        return value
    try:
        from shop.local.place import Place
    except ModuleNotFoundError:  # as in the image of the services
        raise WrongSetting(f"{name} is not set") from None
    return Place.from_environment().environment()[name]


def load() -> dict[str, Any]:
    """The shop's configuration; raises `WrongSetting` for one that can't be read."""
    from nameko.exceptions import ConfigurationError

    from chassis import config as configuration

    for name in _SERVERS:
        os.environ.setdefault(name, setting(name))
    try:
        config = configuration.load()
        for package in config["DATABASES"]:
            configuration.database_url(config, package)
    except ConfigurationError as wrong:
        raise WrongSetting(wrong) from None
    return config


def as_json(command: Any) -> Any:
    """The option of every command whose answer programs may want."""
    return click.option("--json", "as_json", is_flag=True, help="Print it for programs.")(command)
