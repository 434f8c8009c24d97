"""Databases and queues, brought to what the code expects.

Safe to run at any time and by several at once: each database's migrations hold a lock.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from amqp import AMQPError

from chassis import config as configuration
from shop.options import CannotTell
from shop.packages import DATABASE_PACKAGES, ROOT


@contextmanager
def answering() -> Iterator[None]:
    """A server that is away, or that refuses what is done while this lasts, is `CannotTell`."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise CannotTell("the databases (DATABASE_URL)", error.orig) from None
    except (CommandError, sa.exc.SQLAlchemyError) as error:
        raise CannotTell("the databases (DATABASE_URL)", error) from None
    except (AMQPError, ConnectionError, TimeoutError, socket.gaierror) as error:
        raise CannotTell("RabbitMQ (AMQP_URI)", error) from None


def migrate(
    config: dict[str, Any],
    packages: Iterable[str] = DATABASE_PACKAGES,
    progress: Callable[[str], None] = lambda line: None,
) -> None:
    """Create the databases of `packages` where they are missing, and run their migrations."""
    for package in packages:
        url = configuration.database_url(config, package)
        if create(url):
            progress(f"created database {sa.make_url(url).database}")
        alembic = Config()
        folder = str(ROOT / package / "migrations").replace("%", "%%")  # it expands %(name)s
        alembic.set_main_option("script_location", folder)
        alembic.attributes["url"] = url
        command.upgrade(alembic, "head")


def declare_queues(config: dict[str, Any], services: list[type]) -> None:
    """Declare every exchange and queue of these services."""
    from chassis.broker.declarations import declare

    declare(config, services)


def bound_queues(config: dict[str, Any], progress: Callable[[str], None]) -> None:
    """Set what is missing of the policies, where `RABBITMQ_API` names the management API."""
    from shop.provision.management import Management, vhost_of
    from shop.provision.policies import set_policies

    if api := os.environ.get("RABBITMQ_API"):
        set_policies(Management(api, vhost_of(config["AMQP_URI"])), progress)


def create(url: str) -> bool:
    """Create the database of `url`; whether it was missing."""
    target = sa.make_url(url)
    engine = sa.create_engine(target.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            there = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.scalar(there, {"name": target.database}):
                return False
            name = engine.dialect.identifier_preparer.quote(target.database)
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
            return True
    except sa.exc.ProgrammingError as error:
        if "already exists" in str(error.orig):
            return False  # a rival was faster
        raise
    finally:
        engine.dispose()
