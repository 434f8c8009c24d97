"""A service's PostgreSQL, as nameko-sqlalchemy provides it, with what that leaves out.

Nameko-sqlalchemy reads no engine options from the configuration, and SQLAlchemy's default pool is
smaller than Nameko's worker pool. Here the pool fits the workers, every statement has a timeout
that the server enforces, and every piece of work one that holds when the server does not answer.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import orjson
import psycopg2.errors
import sqlalchemy.exc
from eventlet import Timeout
from nameko.exceptions import ConfigurationError
from nameko_sqlalchemy import Database as NamekoDatabase
from nameko_sqlalchemy.database import DatabaseWrapper
from sqlalchemy import (
    ARRAY,
    UUID,
    Connection,
    Engine,
    Select,
    Text,
    bindparam,
    create_engine,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from chassis import config as configuration
from chassis import deadline
from chassis.driver import FACTORIES
from chassis.errors import DeadlineExceeded, Fault, Unavailable
from chassis.gauges import Sample
from chassis.hooks import Hooks
from chassis.messages import AlreadyHandled, Event
from chassis.observers import observers_of
from chassis.outages import outage_of
from chassis.pool import Pool
from chassis.tables import INBOX

#: Seconds that one piece of work may take when its caller set no deadline (timers).
TIMEOUT = 30.0

#: Connections beyond one a worker: the outbox relay's.
SPARE = 1

#: SQLSTATEs that concern the server and not the statement: it stops, starts, is out of
#: connections, memory or disk, or the connection is lost.
_OF_THE_SERVER = ("08", "53", "57P")

#: Begins a transaction: `Handle.begin`, or `Handle.once` of an event, which has its inbox row, too.
Begin = Callable[[], AbstractContextManager[Session]]

#: Key in a session's `info` of what is to be called after its commit.
_AFTER_COMMIT = "after_commit"

_HANDLE_EACH = (
    text(
        "INSERT INTO inbox (event_id, handler) SELECT unnest(:events), :handler"
        " ON CONFLICT DO NOTHING RETURNING event_id"
    )
    .bindparams(bindparam("events", type_=ARRAY(UUID)), bindparam("handler", type_=Text))
    .columns(event_id=UUID)
)
_HANDLE = insert(INBOX).on_conflict_do_nothing().returning(INBOX.c.event_id)


class DatabaseUnavailable(Unavailable):
    """The database is away or out of connections; what was begun is rolled back."""

    code = "database_unavailable"
    title = "The database is away"


class Database(Hooks, NamekoDatabase):
    """Injects a `Handle` on the database of `package`."""

    def __init__(self, declarative_base: type[DeclarativeBase], package: str, **kwargs: Any):
        super().__init__(declarative_base, **kwargs)
        self.package = package
        self.engine: Any = None
        self.outage: Any = None

    def check(self) -> None:
        """Raise Nameko's `ConfigurationError` when the database's address is missing or wrong."""
        configuration.database_url(self.container.config, self.package)

    def setup(self) -> None:
        config = self.container.config
        self.db_uri = configuration.database_url(config, self.package)
        self.outage = outage_of(f"the database of {self.package}", self.db_uri)
        options = engine_options(config, self.container) | (config.get("DB_ENGINE_OPTIONS") or {})
        self.engine = create_engine(self.db_uri, **options, **self.engine_options)
        observers_of(self.container).database(self.engine)
        self.Session = sessionmaker(
            bind=self.engine, class_=Session, expire_on_commit=False, **self.session_options
        )

    def fault_of(self, error: sqlalchemy.exc.SQLAlchemyError) -> Fault | None:
        """The fault that callers get for `error`; None when it is a mistake of ours. Logs when the
        database is away."""
        if isinstance(error, sqlalchemy.exc.TimeoutError):
            fault = DatabaseUnavailable(retry_after=1)
            return self.outage.failed(fault, str(error)) if self.outage.is_away else fault
        if not isinstance(error, sqlalchemy.exc.DBAPIError):
            return None
        if isinstance(error.orig, psycopg2.errors.QueryCanceled):
            return DeadlineExceeded("The database did not answer in time")
        if _is_of_the_server(error):
            return self.outage.failed(DatabaseUnavailable(retry_after=1), str(error.orig))
        refused = isinstance(error, sqlalchemy.exc.OperationalError | sqlalchemy.exc.InterfaceError)
        if refused or error.connection_invalidated:
            return DatabaseUnavailable(retry_after=1)
        return None

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Turns errors of the database in the `with` block into faults, and logs an outage."""
        try:
            yield
        except sqlalchemy.exc.SQLAlchemyError as error:
            fault = self.fault_of(error)
            if fault is None:
                raise
            raise fault from error
        self.outage.works()

    def samples(self) -> Iterator[Sample]:
        yield from self.engine.pool.samples() if self.engine is not None else ()

    def stop(self) -> None:
        self.engine.dispose()

    def kill(self) -> None:
        if self.engine is not None:
            self.engine.dispose()

    def get_dependency(self, worker_ctx: Any) -> "Handle":
        self.dbs[worker_ctx] = handle = Handle(self, worker_ctx)
        return handle


def engine_options(config: dict[str, Any], container: Any) -> dict[str, Any]:
    """Options for `create_engine`: bounds on everything that can wait."""
    statement_ms = int(config.get("DB_STATEMENT_TIMEOUT", 5) * 1000)
    return {
        "poolclass": Pool,
        "pool_size": container.max_workers + SPARE,
        "max_overflow": 0,
        "pool_timeout": 5,
        # Parameters are people's data and have no place in an error's text.
        "hide_parameters": True,
        "connect_args": {
            "application_name": container.service_name,
            "connect_timeout": 3,
            **FACTORIES,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "options": f"-c statement_timeout={statement_ms} -c lock_timeout={statement_ms}"
            f" -c idle_in_transaction_session_timeout={int(TIMEOUT * 2000)} -c timezone=UTC"
            # Statements of milliseconds: compiling a plan would cost more than running it.
            " -c jit=off",
        },
        "json_deserializer": orjson.loads,
        # Or each new connection would ask for a type that nobody uses.
        "use_native_hstore": False,
    }


def has(container: Any) -> bool:
    """Whether a service has a database."""
    return any(isinstance(dependency, Database) for dependency in container.dependencies)


def database_of(container: Any) -> Database:
    """The database of a service; raises `ConfigurationError` when it has none."""
    for dependency in container.dependencies:
        if isinstance(dependency, Database):
            return dependency
    raise ConfigurationError(f"{container.service_name} has no Database")


@contextmanager
def transaction(make_session: Callable[[], Session]) -> Iterator[Session]:
    """One transaction of a new session, and what it has to be followed by (`after_commit`)."""
    with make_session() as session:
        with session.begin():
            yield session
        for call in session.info.get(_AFTER_COMMIT, ()):
            call()


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Have `call` called when the `transaction` of `session` has committed, and never if it is
    rolled back. Calls come in the order in which they were asked for; one that is asked for several
    times comes once."""
    session.info.setdefault(_AFTER_COMMIT, {})[call] = None


def _is_of_the_server(error: sqlalchemy.exc.DBAPIError) -> bool:
    """Whether the server is away, rather than refusing a statement."""
    state = getattr(error.orig, "pgcode", None)
    if state is not None:
        return state.startswith(_OF_THE_SERVER)
    # An error of the client library: no connection could be made, or it was lost.
    return error.connection_invalidated or isinstance(error, sqlalchemy.exc.OperationalError)


@contextmanager
def statement_by_statement(engine: Engine) -> Iterator[Connection]:
    """A connection on which each statement is its own transaction.

    SQLAlchemy's isolation level AUTOCOMMIT sends a statement when the connection goes back to the
    pool. If the server has gone by then, the connection loses its place there for ever; and it is
    a round trip for each use. The driver's own switch sends nothing.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False


class Handle(DatabaseWrapper):
    """The database, as a worker sees it."""

    def __init__(self, database: Database, worker_ctx: Any):
        super().__init__(database.Session)
        self._database = database
        self._worker_ctx = worker_ctx

    @property
    def handler(self) -> str:
        """The handler at work, as the inbox names it: for a statement that writes its inbox rows
        together with what they are for."""
        return f"{self._worker_ctx.service_name}.{self._worker_ctx.entrypoint.method_name}"

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any error, always closed."""
        with self._bounded(), transaction(self.Session) as session:
            yield session

    @contextmanager
    def once(self, event: Event) -> Iterator[Session]:
        """`begin`, for the one time that this handler applies `event`.

        The inbox row is written first, in the same transaction, so a rival with the same event
        waits for the outcome of this one. Raises `AlreadyHandled`, which ends the handler well.
        """
        with self.begin() as session:
            if session.scalar(_HANDLE, {"event_id": event.id, "handler": self.handler}) is None:
                raise AlreadyHandled(event.id)
            yield session

    @contextmanager
    def once_each(self, events: Sequence[Event]) -> Iterator[tuple[Session, list[Event]]]:
        """`once` for a batch: a transaction, and those of `events` that this handler has not
        applied yet, in their order."""
        # In one order, so that two instances with the same events do not wait for each other.
        ids = sorted({event.id for event in events})
        with self.begin() as session:
            new = set(session.scalars(_HANDLE_EACH, {"events": ids, "handler": self.handler}))
            fresh = {event.id: event for event in reversed(events) if event.id in new}
            yield session, list(reversed(fresh.values()))

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """A connection on which each statement is its own transaction: for reads, and for work that
        is one statement. They then need no round trips for BEGIN and COMMIT."""
        with self._bounded(), statement_by_statement(self._database.engine) as connection:
            yield connection

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Ends what a stopped server would keep waiting, and names what went wrong."""
        timeout = Timeout(deadline.remaining(self._worker_ctx.data, TIMEOUT))
        try:
            with self._database.reached():
                yield
        except Timeout as expired:
            if expired is not timeout:
                raise
            raise DeadlineExceeded("The database did not answer in time") from None
        finally:
            timeout.cancel()


def finds(db: Handle, rows: Select[Any]) -> bool:
    """Whether there are any such `rows`, asked without a transaction. For timers, which find
    nothing to do most of the time: that is one statement then."""
    with db.autocommit() as connection:
        return bool(connection.scalar(select(rows.exists())))
