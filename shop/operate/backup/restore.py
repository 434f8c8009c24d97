"""Puts a backup back."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pika
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from chassis import config as configuration
from chassis.broker.topology import RETRY_DELAYS, retry_queue
from shop.migrate import create, declare_queues
from shop.operate.backup import folder, tools
from shop.operate.backup.preconditions import check_databases, check_services, event_queues
from shop.operate.backup.resend import resend
from shop.operate.broker import connected
from shop.options import CannotTell
from shop.packages import DATABASE_PACKAGES, ROOT, load_services

_FULL = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
)
#: What a service owns in its database; the schema itself stays, with the rights that it gives.
_EMPTY = """
DO $$ DECLARE step text; BEGIN
    FOR step IN
        SELECT format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    LOOP EXECUTE step; END LOOP;
    FOR step IN
        SELECT format('DROP VIEW IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
    LOOP EXECUTE step; END LOOP;
    FOR step IN
        SELECT format('DROP SEQUENCE IF EXISTS %s CASCADE', oid::regclass) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
    LOOP EXECUTE step; END LOOP;
    FOR step IN  -- ranges, before their own routines, which only go with them
        SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype) FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype = 'r'
    LOOP EXECUTE step; END LOOP;
    FOR step IN
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP EXECUTE step; END LOOP;
END $$
"""


class Restore:
    """A backup in `source`, checked to be whole and to fit, on its way into the databases of
    `config`; every look before the first change may raise `CannotTell`."""

    def __init__(self, config: dict[str, Any], source: Path, tell: Callable[[str], None]):
        self._config, self._source, self._tell = config, source, tell
        self._urls = {
            package: configuration.database_url(config, package) for package in DATABASE_PACKAGES
        }
        self.page = folder.read(source, tell)
        for package in DATABASE_PACKAGES:
            _check_revision(package, self.page["databases"][package]["revision"])
        self._tools = {package: self._tools_for(url) for package, url in self._urls.items()}
        self._services = load_services()
        with connected(config["AMQP_URI"]) as connection:
            self._check_broker(connection)
        self.full = self._look_at_databases()

    def run(self) -> int:
        """Restore; returns how many events will be published again.

        All databases are emptied before the first is filled: whatever stops this on the way, there
        is never a shop of which a part is old and a part is new.
        """
        for url in self._urls.values():
            _execute(url, _EMPTY)
        for package, url in self._urls.items():
            self._tell(f"restoring {package}")
            once = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
            dump = str(folder.dump_of(self._source, package))
            tools.run(self._tools[package], "pg_restore", url, *once, dump)
        with connected(self._config["AMQP_URI"]) as connection:
            self._purge(connection)
        return resend(self._config)

    def _tools_for(self, url: str) -> Path:
        version = tools.version_of(sa.make_url(url).set(database="postgres"))
        if version < self.page["postgresql"]:
            made = self.page["postgresql"]
            raise CannotTell(f"the backup is of PostgreSQL {made}", f"the server is {version}")
        return tools.tools_for(version)

    def _check_broker(self, connection: pika.BlockingConnection) -> None:
        declare_queues(self._config, self._services)
        check_services(connection, [service.name for service in self._services])

    def _look_at_databases(self) -> list[str]:
        """Those with tables in them; creates those that are not there."""
        with ExitStack() as stack:
            connections = {}
            for package, url in self._urls.items():
                create(url)
                engine = sa.create_engine(url, poolclass=sa.NullPool)
                connections[package] = stack.enter_context(engine.connect())
            check_databases(connections)
            return [
                package
                for package, connection in connections.items()
                if connection.scalar(sa.text(_FULL))
            ]

    def _purge(self, connection: pika.BlockingConnection) -> None:
        """Events that wait tell of what came after the backup, and so never happened. Those of
        before it are in the outboxes."""
        channel = connection.channel()
        for queue in (*event_queues(), *map(retry_queue, RETRY_DELAYS)):
            channel.queue_purge(queue)


def _check_revision(package: str, revision: str) -> None:
    try:
        ScriptDirectory(str(ROOT / package / "migrations")).get_revision(revision)
    except CommandError:
        raise CannotTell(
            "the backup is of a newer version of the shop", f"{package} is at {revision}"
        ) from None


def _execute(url: str, statement: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))


def next_steps(page: Mapping[str, Any], with_stripe: bool) -> list[str]:
    """What is left to an operator."""
    steps = ["shop migrate", "start the services", "shop verify"]
    if with_stripe:
        steps.append(f"shop reconcile --since {page['made_at'].isoformat(timespec='seconds')}")
    return steps
