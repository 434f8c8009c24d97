"""`shop provision`, the first of the jobs that make an installation ready."""

import os
import re
import sys
from collections.abc import Iterator, Mapping

import click
import sqlalchemy as sa

from shop.operate.databases import answering
from shop.options import CannotTell
from shop.packages import DATABASE_PACKAGES, SERVICE_PACKAGES
from shop.provision import databases
from shop.provision.management import vhost_of

#: The administrators' ways in.
_SERVERS = ("DATABASE_URL", "AMQP_URI", "RABBITMQ_API")
#: What may stand in a URL as it is, for that is where the services' passwords are.
_SAFE = re.compile(r"[A-Za-z0-9._~-]+")


@click.command()
def provision() -> None:
    """Give each service a user in RabbitMQ, and a role and a database in PostgreSQL, of its own.

    What is there is kept; a password that has changed is set. Takes administrators' DATABASE_URL,
    AMQP_URI and RABBITMQ_API (the address of the management plugin, with credentials), and a
    password for each package: GATEWAY_PASSWORD, ORDERS_PASSWORD and so on. `shop migrate` comes
    after it, with the same environment.
    """
    if faults := list(_faults(os.environ)):
        for fault in faults:
            click.echo(f"Error: a setting is wrong: {fault}", err=True)
        sys.exit(2)
    passwords = {package: os.environ[_variable(package)] for package in SERVICE_PACKAGES}
    own = {package: passwords[package] for package in DATABASE_PACKAGES}
    try:
        with answering():
            databases.provision(os.environ["DATABASE_URL"], own, click.echo)
    except sa.exc.ProgrammingError as error:
        raise CannotTell("the databases refuse", error.orig) from None
    from shop.provision import broker  # which imports all services, and takes a second

    vhost = vhost_of(os.environ["AMQP_URI"])
    broker.provision(os.environ["RABBITMQ_API"], vhost, passwords, click.echo)


def _faults(environment: Mapping[str, str]) -> Iterator[str]:
    for name in _SERVERS:
        if not environment.get(name):
            yield f"{name} is not set"
    try:
        backend = sa.make_url(environment.get("DATABASE_URL") or "postgresql:///").drivername
    except (sa.exc.ArgumentError, ValueError):
        backend = ""
    if not backend.startswith("postgres"):
        yield "DATABASE_URL is no address of a PostgreSQL database"
    for name in map(_variable, SERVICE_PACKAGES):
        if not environment.get(name):
            yield f"{name} is not set"
        elif not _SAFE.fullmatch(environment[name]):
            yield f"{name} may only have letters, digits and - . _ ~, for it stands in addresses"


def _variable(package: str) -> str:
    return f"{package.upper()}_PASSWORD"
