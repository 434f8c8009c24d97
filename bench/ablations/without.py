"""Runs a service as `nameko` does, without one shortcut:

    python -W ignore -m bench.ablations.without place run orders.service --config config.yaml

Each function takes out the shortcut of its name, before the modules of the service are imported.
What it replaces has to be there: a shortcut that is gone, or has moved, ends in an AttributeError.
"""

import eventlet

eventlet.monkey_patch()

import logging  # noqa: E402  (monkey patching comes first)
import sys  # noqa: E402
from collections.abc import Callable, Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from functools import partial  # noqa: E402
from importlib import import_module  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

from sqlalchemy import bindparam  # noqa: E402

_TAKEN_OUT: dict[str, Callable[[], None]] = {}


def take_out(name: str) -> None:
    """Take out the shortcut of that name, one of `bench.ablations.ABLATIONS`."""
    _TAKEN_OUT[name]()


def _shortcut(function: Callable[[], None]) -> Callable[[], None]:
    _TAKEN_OUT[function.__name__] = function
    return function


def _replace(owner: str, **values: Any) -> None:
    """Set attributes that are there of a module, or of a class ("module:Class")."""
    module, _, name = owner.partition(":")
    found: Any = import_module(module)
    found = getattr(found, name) if name else found
    for attribute, value in values.items():
        getattr(found, attribute)
        setattr(found, attribute, value)


@_shortcut
def autocommit() -> None:
    """A read, or a single statement, is a transaction as SQLAlchemy has it."""

    @contextmanager
    def statement_by_statement(engine: Any) -> Iterator[Any]:
        with engine.begin() as connection:
            yield connection

    _replace("chassis.database", statement_by_statement=statement_by_statement)


@_shortcut
def begin() -> None:
    """BEGIN is a message of its own, as psycopg2 sends it."""
    _replace("chassis.database", FACTORIES={})


@_shortcut
def reserve_new() -> None:
    """Each reservation goes step by step."""
    _replace("products.stock.reservation_store", reserve_new=lambda *asked: None)


@_shortcut
def place() -> None:
    """The rows of an order are written one table after the other, in a transaction."""
    from sqlalchemy import delete, text

    from chassis.events import outbox
    from chassis.json_rows import with_documents
    from contracts.orders.enums import CheckoutState
    from orders.checkout import store
    from orders.models import Checkout

    rows = Checkout.__table__.c
    gone = delete(Checkout.__table__).where(
        rows.order_id == bindparam("order_id"), rows.state == CheckoutState.OPEN
    )
    steps = {
        "orders": store._INSERT_ORDER,
        "lines": store._INSERT_LINES,
        "entries": store._INSERT_ENTRIES,
        "events": outbox.RECORDING,
    }
    writing = {name: with_documents(insertion, name) for name, insertion in steps.items()}
    whole = store.complete

    class Stepwise:
        """A connection that knows the one statement as several."""

        def __init__(self, connection: Any):
            self.connection = connection

        def execute(self, statement: Any, values: dict[str, Any]) -> Any:
            execute = self.connection.execute
            execute(text("BEGIN"))
            taken = execute(gone, {"order_id": values["order_id"]})
            for name, insertion in writing.items() if taken.rowcount else ():
                execute(insertion, {name: values[name]})
            execute(text("COMMIT"))
            outcome = SimpleNamespace(found=taken.rowcount, taken=taken.rowcount)
            return SimpleNamespace(one=lambda: outcome)

    def complete(connection: Any, *what: Any) -> bool:
        return whole(Stepwise(connection), *what)

    _replace("orders.checkout.store", complete=complete)


@_shortcut
def frame_buffer() -> None:
    """Each message is written by itself, by py-amqp."""
    from chassis.broker import connection

    plain = partial(connection.connect, buffered=False)
    _replace("chassis.broker.connection", connect=plain)
    _replace("chassis.broker.reconnecting", connect=plain)
    _replace("chassis.broker.confirmed_publisher", connect=plain)

    def drop(self: Any) -> None:
        """As it was, with nothing to flush."""
        self.channel = None
        if self._connection is not None:
            connection.cut(self._connection)

    _replace("chassis.broker.reconnecting:ReconnectingConnection", drop=drop)


@_shortcut
def frame_reader() -> None:
    """Each frame is read by itself, by py-amqp."""

    class Reader:
        def __init__(self, connection: Any):
            self.read = connection.drain_events

    _replace("chassis.broker.reconnecting", FrameReader=Reader)


@_shortcut
def http() -> None:
    """eventlet.wsgi reads requests and writes answers."""
    import eventlet.wsgi

    from bench.ablations.wsgi import application

    def run(self: Any) -> None:
        answer = application(self.app)
        eventlet.wsgi.server(self._sock, answer, log_output=False, keepalive=True)

    _replace("chassis.web.server:Server", run=run)


@_shortcut
def access_log() -> None:
    """Structlog writes the line of each request."""
    import structlog

    def log_event(logger: logging.Logger, event: str, fields: dict[str, Any]) -> None:
        structlog.get_logger(logger.name).info(event, **fields)

    _replace("chassis.logs", log_event=log_event)


@_shortcut
def read_cache() -> None:
    """Every read is made."""
    _replace("chassis.web.response_cache:ResponseCache", check=lambda self: None)


@_shortcut
def encoded() -> None:
    """What is cached is encoded for each who gets it."""
    from chassis.web.responses import Response

    def kept(self: Any, answer: Any, tags: Any) -> None:
        Response.__init__(self, answer.body, answer.status, answer.headers, answer.media_type)
        self.tags, self.size = frozenset(tags), 2000

    _replace("chassis.web.response_cache:EncodedResponse", __init__=kept, lines=Response.lines)


@_shortcut
def spellings() -> None:
    """Path and query are validated for each request."""
    _replace("chassis.web.response_cache", _MAX_SPELLING=0)


@_shortcut
def verified() -> None:
    """The signature of a token is checked for each request."""

    def identify(self: Any, token: str) -> Any:
        return self._check(token, self._clock().timestamp())

    _replace("chassis.identity:Verifier", identify=identify)


@_shortcut
def list_statements() -> None:
    """The statement of each list and search is built anew."""
    from products.catalog import listing_sql

    _replace("products.catalog.listing_sql", statement=listing_sql.statement.__wrapped__)


@_shortcut
def pace() -> None:
    """The relay begins with the first event that it is given."""
    _replace("chassis.events.relay", PACE=0)


@_shortcut
def relay_batch() -> None:
    """One row of the outbox at a time: the sweep, which publishes what the ablations insert."""
    _replace("chassis.events.relay", BATCH=1)
    from chassis.events import relay

    _replace("chassis.events.relay", _UNSENT=relay._UNSENT.limit(1))


@_shortcut
def confirms() -> None:
    """Each message is confirmed before the next is sent."""
    from chassis.broker.confirmed_publisher import ConfirmedPublisher

    together = ConfirmedPublisher.publish

    def publish(self: Any, messages: Sequence[Any]) -> list[bool]:
        return [together(self, [message])[0] for message in messages]

    _replace("chassis.broker.confirmed_publisher:ConfirmedPublisher", publish=publish)


@_shortcut
def handler_batch() -> None:
    """A handler that takes events by the batch gets them one by one."""
    from chassis.events.batches import Batches

    _replace("chassis.events.handler", Batches=lambda most: Batches(1))


def main(arguments: Sequence[str]) -> None:
    """Take out the first argument, and leave the others to `nameko`."""
    name, *others = arguments
    take_out(name)
    from nameko.cli.main import main as nameko

    sys.argv = ["nameko", *others]
    nameko()


if __name__ == "__main__":
    main(sys.argv[1:])
