"""Which shop a command is for: that of the environment, else the one of this clone that runs.

AMQP_URI and the addresses of databases that are set in the environment win, as in containers. Ports
do not: they are settings of `shop run`, and a shop that runs knows its own. Without either there is
no shop to talk to, and none is guessed: on the usual ports may be another clone's.
"""

import os
from pathlib import Path
from typing import Any

import click

from shop.options import CannotTell, WrongSetting

#: What `config.yaml` takes from the environment to find the servers.
_SERVERS = ("AMQP_URI", "DATABASE_URL")

#: Addresses of the running shop that this process has set in its environment.
_found: dict[str, str] = {}


def setting(name: str) -> str:
    """From the environment, else of this clone's running shop; `WrongSetting` or `CannotTell`
    without either."""
    if value := os.environ.get(name):
        _say("environment", _addresses([name]), unless_said=True)
        return value
    return of_running(name)[name]


def of_running(wanted: str) -> dict[str, str]:
    """The environment of this clone's running shop, for who wants a setting of it."""
    try:
        from shop.local.place import Place
        from shop.local.server import LocalError
    except ModuleNotFoundError:  # as in the image of the services
        raise WrongSetting(f"{wanted} is not set") from None
    try:
        place = Place.of_running()
        environment = place.environment()
    except LocalError as away:
        raise CannotTell(f"{away}; or set {wanted}") from None
    _say("clone", f"this clone's at {place.url}")
    return environment | {"SHOP_URL": place.url}


def shop_url() -> str:
    """Where the shop's door is: SHOP_URL, else this clone's running shop's."""
    given = os.environ.get("SHOP_URL")
    return given.rstrip("/") if given else of_running("SHOP_URL")["SHOP_URL"]


def mail_outbox() -> Path:
    """Where a shop on this machine writes mails as files."""
    if os.environ.get("SHOP_URL"):
        return Path(os.environ.get("MAIL_OUTBOX") or "var/outbox")
    return Path(of_running("MAIL_OUTBOX")["MAIL_OUTBOX"])


def load() -> dict[str, Any]:
    """The shop's configuration, with the addresses of the shop that the command is for; raises
    `WrongSetting` for one that can't be read.

    With the passwords that `shop provision` takes, each database is reached as its package's own
    role, which then owns what is made there.
    """
    find_servers()
    config = read()
    if os.environ["DATABASE_URL"] != _found.get("DATABASE_URL"):
        config["DATABASES"] = _as_own_roles(config) | (config.get("DATABASES") or {})
    return config


def _as_own_roles(config: dict[str, Any]) -> dict[str, str]:
    """The addresses of databases whose package has its password in the environment."""
    import sqlalchemy as sa

    from chassis.config import database_url
    from shop.packages import DATABASE_PACKAGES

    return {
        package: sa.make_url(database_url(config, package))
        .set(username=package, password=password)
        .render_as_string(hide_password=False)
        for package in DATABASE_PACKAGES
        if (password := os.environ.get(f"{package.upper()}_PASSWORD"))
    }


def read() -> dict[str, Any]:
    """config.yaml with the environment; raises `WrongSetting`."""
    from nameko.exceptions import ConfigurationError

    from chassis import config as configuration
    from shop.packages import DATABASE_PACKAGES

    try:
        config = configuration.load()
        configuration.check(configuration.ChassisSettings(), config)
        for package in DATABASE_PACKAGES:
            configuration.database_url(config, package)
    except ConfigurationError as wrong:
        raise WrongSetting(wrong) from None
    return config


def find_servers() -> None:
    """Have `config.yaml` be read with the addresses of the shop that the command is for."""
    given = [name for name in _SERVERS if os.environ.get(name) not in (None, "", _found.get(name))]
    if given:
        _say("environment", _addresses(given))
    for name in _SERVERS:
        if name not in given:
            os.environ[name] = _found[name] = of_running(name)[name]
    if "DATABASE_URL" not in given and (
        sample := of_running("DATABASE_URL").get("SAMPLE_ACCOUNTS")
    ):
        os.environ.setdefault("SAMPLE_ACCOUNTS", sample)
    if "AMQP_URI" not in given:
        os.environ.setdefault("RABBITMQ_API", of_running("AMQP_URI").get("RABBITMQ_API", ""))


def _addresses(names: list[str]) -> str:
    """Without what is secret in them."""
    return ", ".join(f"{_server(os.environ[name])} ({name})" for name in names)


def _server(uri: str) -> str:
    """Host and port; no user, password or options."""
    rest = uri.rpartition("://")[2].rpartition("@")[2]
    return rest.partition("?")[0].partition("/")[0] or "a local socket"


def _say(source: str, which: str, unless_said: bool = False) -> None:
    """A line for each source of addresses; on standard error, for what a command prints may be for
    programs."""
    context = click.get_current_context(silent=True)
    if context is None:
        return
    said = context.meta.setdefault("shop.said", [])
    if source not in said and not (said and unless_said):
        said.append(source)
        click.echo(f"shop: {which}", err=True)


def as_json(command: Any) -> Any:
    """The option of every command whose answer programs may want."""
    return click.option("--json", "as_json", is_flag=True, help="Print it for programs.")(command)
