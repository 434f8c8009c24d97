"""Fixtures for everything that runs on real parts.

RabbitMQ and PostgreSQL are those that TEST_AMQP_URI, TEST_AMQP_API and TEST_DATABASE_URL name, else
private ones that are started for the session. Each session has its own vhost and databases, so
several may run at once.
"""

import eventlet

eventlet.monkey_patch()

import collections  # noqa: E402  (monkey patching comes first)
import contextlib  # noqa: E402
import functools  # noqa: E402
import gc  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import types  # noqa: E402
import urllib.parse  # noqa: E402

import kombu  # noqa: E402
import orjson  # noqa: E402
import pytest  # noqa: E402
import requests  # noqa: E402
import sqlalchemy as sa  # noqa: E402
from nameko.containers import get_container_cls  # noqa: E402
from nameko.testing.utils import find_free_port  # noqa: E402

# For the processes that tests start as well.
os.environ |= {"PAYMENT_PROVIDER": "simulator", "STRIPE_API_KEY": ""}

import chassis.logs  # noqa: E402, F401 -- sends structlog's lines to the standard library's loggers
from chassis import config as configuration  # noqa: E402
from chassis import outages  # noqa: E402
from chassis.clock import Clock  # noqa: E402
from chassis.database import Database  # noqa: E402
from chassis.events.broadcast import Broadcast  # noqa: E402
from chassis.pool import Pool  # noqa: E402
from chassis.rpc import RpcProxy  # noqa: E402
from chassis.rpc.client import ServiceProxy  # noqa: E402
from chassis.service import Service  # noqa: E402
from chassis.timers import SteadyTimer  # noqa: E402
from shop.packages import DATABASE_PACKAGES  # noqa: E402
from tests import support  # noqa: E402
from tests.scraping import Scraper  # noqa: E402


def pytest_collection_finish(session):
    """What is there now stays to the end: it need not be looked through for garbage."""
    gc.collect()
    gc.freeze()


class Compiled(dict):
    """SQL that SQLAlchemy has made of statements, for each engine alike: the dialect, which is the
    first part of a key, is another object in each of them."""

    def get(self, key, default=None):
        return super().get(key[1:], default)

    def __setitem__(self, key, value):
        super().__setitem__(key[1:], value)


COMPILED = Compiled()


@sa.event.listens_for(sa.Engine, "engine_connect")
def keep_what_is_compiled(connection):
    """Each test starts services, and so engines; to compile all statements for each of them would
    take a third of the time."""
    engine = connection.engine
    if isinstance(engine.pool, Pool):  # of a service: all of these have the same options
        engine.update_execution_options(compiled_cache=COMPILED)


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """A broker and a database server: `.amqp_uri`, `.amqp_api`, `.database_url`."""
    if "TEST_AMQP_URI" in os.environ:
        yield types.SimpleNamespace(
            amqp_uri=os.environ["TEST_AMQP_URI"],
            amqp_api=os.environ["TEST_AMQP_API"],
            database_url=os.environ["TEST_DATABASE_URL"],
        )
        return
    from shop.local.postgres import private_postgres
    from shop.local.rabbitmq import private_rabbitmq

    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(private_postgres(tmp_path_factory.mktemp("postgres")))
        rabbitmq = stack.enter_context(private_rabbitmq(tmp_path_factory.mktemp("rabbitmq")))
        yield types.SimpleNamespace(
            amqp_uri=rabbitmq.uri, amqp_api=rabbitmq.api, database_url=postgres.uri
        )


@pytest.fixture(scope="session")
def new_vhost(servers):
    """`with new_vhost("name") as vhost`: a vhost of its own for as long as that lasts; `.uri`, and
    `.queues` in the API of the management plugin."""

    @contextlib.contextmanager
    def make(name):
        name = f"{name}-{os.getpid()}"
        api = f"{servers.amqp_api}/api/vhosts/{name}"
        requests.put(api, timeout=10).raise_for_status()
        yield types.SimpleNamespace(
            uri=urllib.parse.urlsplit(servers.amqp_uri)._replace(path=f"/{name}").geturl(),
            queues=f"{servers.amqp_api}/api/queues/{name}",
        )
        requests.delete(api, timeout=10)

    return make


@pytest.fixture(scope="session")
def vhost(new_vhost):
    """The vhost of this session's tests."""
    with new_vhost("test") as vhost:
        yield vhost


@pytest.fixture(scope="session")
def databases(servers):
    """Migrated databases of this session: the `DATABASE_URL` that names them."""
    from shop.migrate import migrate

    server = sa.make_url(servers.database_url).set(drivername="postgresql+psycopg2")
    prefix = f"test{os.getpid()}"
    url = server.set(database=prefix).render_as_string(hide_password=False)
    migrate({"DATABASE_URL": url})
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    names = [f"{prefix}_{package}" for package in DATABASE_PACKAGES]
    with admin.connect() as connection:
        for name in names:  # what is lost with the machine is nobody's loss
            connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    yield url
    with admin.connect() as connection:
        for name in names:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(autouse=True)
def nothing_is_away(monkeypatch):
    """Each test begins without what others have found away."""
    monkeypatch.setattr(outages, "_known", {})


@pytest.fixture
def config(vhost):
    """Settings as in config.yaml, for the test broker, whose queues are empty.

    The databases are there once the first service that has one is started.
    """
    support.purge(vhost)
    loaded = support.settings()
    return loaded | {
        "AMQP_URI": vhost.uri,
        "DATABASES": {},
        "web": loaded["web"] | support.ONE_CLIENT,
        "WEB_SERVER_ADDRESS": f"127.0.0.1:{find_free_port()}",
    }


@pytest.fixture
def start(config, request):
    """`start(ServiceClass, ...)`: runs services in this process; the tables of their databases
    are emptied first. Returns the containers, in order; keyword arguments override settings. Their
    timers come round more often than elsewhere (`support.hurry`)."""
    containers, emptied = [], set()

    def start_services(*services, **overrides):
        for package in {d.package for s in services for d in _databases(s)} - emptied:
            config["DATABASE_URL"] = request.getfixturevalue("databases")
            empty(configuration.database_url(config, package))
            emptied.add(package)
        if "web" in overrides:  # some of its settings, beside those of the tests
            overrides["web"] = config["web"] | overrides["web"]
        cls = get_container_cls(config)
        started = [cls(service, config | overrides) for service in services]
        for container in started:
            support.hurry(container)
        containers.extend(started)
        for starting in [eventlet.spawn(container.start) for container in started]:
            starting.wait()
        return started

    yield start_services
    for stopping in [eventlet.spawn(container.kill) for container in containers]:
        stopping.wait()


@pytest.fixture
def scrape(config):
    """`scrape()`: what the services that are started from now on tell Prometheus, see
    `tests.scraping`."""
    config["METRICS_PORT"] = find_free_port()
    return Scraper(config["METRICS_PORT"])


@pytest.fixture
def logged():
    """Every record of every logger, rendered with its traceback."""
    records, root = [], logging.getLogger()

    class Keep(logging.Handler):
        def emit(self, record):
            records.append(self.format(record) + repr(record.__dict__))

    handler, level = Keep(logging.DEBUG), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield records
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def told(monkeypatch):
    """The payloads of all broadcasts from now on, by their type; they are not sent."""
    payloads = collections.defaultdict(list)

    def note(provider, broadcast_type, body):
        payloads[broadcast_type].append(orjson.loads(body))

    monkeypatch.setattr(Broadcast, "_send", note)
    return payloads


@pytest.fixture
def parked(vhost):
    """`parked("orders")`: how many dead letters that service has."""

    def count(service):
        with kombu.Connection(vhost.uri) as connection, connection.channel() as channel:
            queue = f"{service}.dead-letters"
            return channel.queue_declare(queue, passive=True).message_count

    return count


@pytest.fixture
def call(start):
    """`call.inventory.reserve(...)`: RPC from outside; `call.with_timeout(0.5).inventory...`."""
    (container,) = start(type("Tester", (Service,), {"name": "tester", "any": RpcProxy("any")}))
    return Caller(container)


class Caller:
    """RPC proxies for tests; `with_data` sets what travels along (request_id, traceparent). Calls
    that need an actor and name none are the system's."""

    def __init__(self, container, timeout=10, data=None):
        self._container, self._timeout, self._data = container, timeout, data or {}
        self._replies = next(d.replies for d in container.dependencies if isinstance(d, RpcProxy))

    def with_timeout(self, seconds):
        return Caller(self._container, seconds, self._data)

    def with_data(self, **data):
        return Caller(self._container, self._timeout, data)

    def __getattr__(self, service):
        data = dict(self._data)
        context = types.SimpleNamespace(data=data, context_data=data)
        return SystemsOwn(self._replies, service, self._timeout, (), context)


class SystemsOwn(ServiceProxy):
    """A proxy to a service; see `Caller`."""

    def __getattr__(self, method):
        proxy = super().__getattr__(method)
        if f"{self._service}.{method}" in calls_with_an_actor():
            proxy = functools.partial(_for_somebody, proxy)
        return proxy


def _for_somebody(call, *args, **kwargs):
    return call(*args, **({"actor": "system"} | kwargs))


@functools.cache
def calls_with_an_actor():
    """`service.method` of the shop's calls that do."""
    from tests.contract.services import calls

    return {
        name for name, schema in calls().items() if schema and "actor" in schema._declared_fields
    }


@pytest.fixture
def clock(monkeypatch):
    """What every service takes for now: `clock.advance(minutes=5)`, `clock.stop()`."""
    fake = support.FakeClock()
    monkeypatch.setattr(Clock, "source", fake)
    return fake


@pytest.fixture
def by_hand(monkeypatch):
    """No timer comes round by itself any more, only when a test calls `run_timer`."""
    skip = lambda timer: timer.worker_complete.send()  # noqa: E731
    monkeypatch.setattr(SteadyTimer, "handle_timer_tick", skip)


@pytest.fixture
def eventually():
    """`eventually(condition, timeout=10)`: see `tests.support.eventually`."""
    return support.eventually


def _databases(service):
    return [value for value in vars(service).values() if isinstance(value, Database)]


#: Of a table with a few rows, deleting them takes a third of the time of TRUNCATE, which makes new
#: files for it, its indexes and its sequences.
EMPTY = sa.text(
    """
    DO $$
    DECLARE
        relation regclass;
        is_large boolean;
    BEGIN
        FOR relation IN
            SELECT oid FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                AND relname <> 'alembic_version'
        LOOP
            EXECUTE format('SELECT count(*) = 1000 FROM (SELECT FROM %s LIMIT 1000) AS r', relation)
                INTO is_large;
            IF is_large THEN
                EXECUTE format('TRUNCATE %s CASCADE', relation);
            ELSE
                EXECUTE format('DELETE FROM %s', relation);
            END IF;
        END LOOP;
        IF to_regclass('public.locations') IS NOT NULL THEN -- the one that a migration has made
            INSERT INTO locations VALUES ('MAIN', 'Main warehouse', NULL, 1, true, 1);
        END IF;
        PERFORM setval(oid::regclass, seqstart, false)
        FROM pg_class JOIN pg_sequence ON seqrelid = oid
        WHERE relnamespace = 'public'::regnamespace;
    END
    $$
    """
)


def empty(url):
    """Delete all rows of a database, and count from the beginning again."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        # The ledger refuses to be emptied; a replica's session fires no triggers.
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(EMPTY)
    engine.dispose()
