"""RabbitMQ and PostgreSQL of the bench's own, on which every contender gets the same.

PostgreSQL's data stay from run to run, for the sake of the templates: filling a catalog takes
longer than measuring it. A template is made anew when the migrations or the goods have changed.
"""

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import requests

from bench import goods
from shop.local.install import install_rabbitmq
from shop.local.place import ROOT
from shop.local.postgres import PostgreSQL, PrivatePostgreSQL
from shop.local.rabbitmq import PrivateRabbitMQ, RabbitMQ
from shop.local.server import free_ports, sweep
from shop.migrate import migrate
from shop.packages import DATABASE_PACKAGES

Say = Callable[[str], None]

#: When a transaction was committed, to the microsecond, is what the events' latency counts from.
#: Statements are counted by their database, in the log.
_SETTINGS = "\ntrack_commit_timestamp = on\nlog_line_prefix = '%m [%p] %d '\n"
_LOGGED = re.compile(rb" (\w+) LOG:  (?:statement|execute [^:]+): ")


class Rig:
    """Two servers, while `with` lasts; everything in `folder`."""

    def __init__(self, folder: Path, say: Say):
        self.folder = folder
        self._say = say
        self._stack = ExitStack()
        postgres, amqp, *others = free_ports(5)
        self._postgres = PrivatePostgreSQL(PostgreSQL(folder / "postgres", postgres, folder))
        self._rabbitmq = PrivateRabbitMQ(RabbitMQ(folder / "rabbitmq", amqp, *others, owner=folder))

    def __enter__(self) -> "Rig":
        install_rabbitmq(self._say)
        sweep(self.folder)
        shutil.rmtree(self.folder / "rabbitmq", ignore_errors=True)
        self._stack.callback(sweep, self.folder)
        self._stack.callback(self._postgres.stop)
        self._stack.callback(self._rabbitmq.kill)
        try:
            self._configure()
            with ThreadPoolExecutor(2) as pool:
                for start in [
                    pool.submit(server.start) for server in (self._postgres, self._rabbitmq)
                ]:
                    start.result()
            self._drop_all_but_templates()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def crash(self, server: str) -> None:
        """End the "broker" or the "database" as a power cut would, and start it again."""
        victim = self._rabbitmq if server == "broker" else self._postgres
        victim.kill()
        victim.start()

    def amqp(self, name: str) -> str:
        """AMQP URI of a new vhost."""
        requests.put(f"{self._rabbitmq.api}/api/vhosts/{name}", timeout=10).raise_for_status()
        return urlsplit(self._rabbitmq.uri)._replace(path=f"/{name}").geturl()

    def dsn(self, database: str) -> str:
        """libpq's address of a database."""
        return self._postgres.recipe.uri(database).replace("+psycopg2", "")

    @property
    def rabbitmq_version(self) -> str:
        """Such as 3.10.8."""
        answer = requests.get(f"{self._rabbitmq.api}/api/overview", timeout=10)
        return answer.json()["rabbitmq_version"]

    @property
    def server_pids(self) -> tuple[int, int]:
        """Process ids of PostgreSQL and RabbitMQ."""
        return self._postgres.pid, self._rabbitmq.pid

    def messages(self, vhost: str) -> dict[str, float]:
        """How many were published so far, by exchange, as RabbitMQ has counted them; it takes
        some seconds over that."""
        answer = requests.get(f"{self._rabbitmq.api}/api/exchanges/{vhost}", timeout=10)
        return {
            each["name"]: each["message_stats"].get("publish_in", 0)
            for each in answer.json()
            if "message_stats" in each
        }

    @contextmanager
    def statements(self) -> Iterator[Callable[[], Counter[str]]]:
        """Has PostgreSQL log all statements meanwhile; what it gives says how many there were so
        far, by database."""
        with self._postgres.recipe.log.open("rb") as log:
            log.seek(0, 2)
            counted: Counter[str] = Counter()

            def count() -> Counter[str]:
                counted.update(database.decode() for database in _LOGGED.findall(log.read()))
                return counted.copy()

            self._log_statements("'all'")
            try:
                yield count
            finally:
                self._log_statements("DEFAULT")

    def _log_statements(self, which: str) -> None:
        self.rows("postgres", f"ALTER SYSTEM SET log_statement = {which}")
        self.rows("postgres", "SELECT pg_reload_conf()")

    def value(self, database: str, statement: str, *values: object) -> object:
        """The one value that a statement answers with."""
        return self.rows(database, statement, *values)[0][0]

    def rows(self, database: str, statement: str, *values: object) -> list[tuple]:
        """What a query answers with."""
        with self._cursor(database) as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def template(self, products: int, orders: int) -> str:
        """The prefix of five migrated databases, of which two are filled with that many products
        and orders."""
        prefix = f"template_{products}_{orders}_{_digest()}"
        ready = "SELECT count(*) FROM pg_database WHERE datistemplate AND datname = %s"
        if not self.value("postgres", ready, f"{prefix}_users"):
            self._fill(prefix, products, orders)
        return prefix

    def copies(
        self, template: str, prefix: str, packages: tuple[str, ...] = DATABASE_PACKAGES
    ) -> None:
        """Make databases `<prefix>_<package>` from a template; older ones of that name are gone."""
        for package in packages:
            self._drop(f"{prefix}_{package}")
            self.rows(
                "postgres",
                f"CREATE DATABASE {prefix}_{package} TEMPLATE {template}_{package}"
                " STRATEGY file_copy",
            )

    def _fill(self, prefix: str, products: int, orders: int) -> None:
        self._say(f"filling databases with {products:,} products and {orders:,} orders")
        for package in DATABASE_PACKAGES:
            self._drop(f"{prefix}_{package}")
        migrate({"DATABASE_URL": self.dsn(prefix)})
        databases = self.dsn(f"{prefix}_products"), self.dsn(f"{prefix}_orders")
        goods.fill(*databases, products=products, orders=orders)
        # It says that all is done.
        self.rows("postgres", f"ALTER DATABASE {prefix}_users IS_TEMPLATE true")

    def _configure(self) -> None:
        recipe = self._postgres.recipe
        recipe.prepare()
        with (recipe.data / "postgresql.conf").open("r+") as file:
            if _SETTINGS not in file.read():
                file.write(_SETTINGS)
        # A run that was killed may have left that all statements are logged.
        (recipe.data / "postgresql.auto.conf").write_text("")

    def _drop_all_but_templates(self) -> None:
        """What earlier runs left; of the templates, those that nobody would make like that now."""
        names = "SELECT datname FROM pg_database WHERE datname !~ '^(postgres|template[01])$'"
        for (name,) in self.rows("postgres", names):
            if _digest() not in name:
                self._drop(name)

    def _drop(self, name: str) -> None:
        there = "SELECT datistemplate FROM pg_database WHERE datname = %s"
        for (is_template,) in self.rows("postgres", there, name):
            if is_template:
                self.rows("postgres", f"ALTER DATABASE {name} IS_TEMPLATE false")
            self.rows("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def _cursor(self, database: str) -> Iterator[psycopg2.extensions.cursor]:
        connection = psycopg2.connect(self.dsn(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


def _digest() -> str:
    """Changes with what templates are made of."""
    found = hashlib.sha256()
    migrations = [ROOT / package / "migrations" / "versions" for package in DATABASE_PACKAGES]
    for folder in [Path(goods.__file__).parent, *migrations]:
        for path in sorted(folder.glob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:8]
