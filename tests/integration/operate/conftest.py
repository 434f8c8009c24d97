"""The shop's own queues in the test broker, dead letters in them, databases to restore into, and
`shop` as an operator types it."""

import datetime
import json
import types
import uuid

import orjson
import pika
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from chassis.broker.declarations import declare
from shop.cli import shop
from shop.packages import load_services
from tests.integration.operate.letters import BOX, NOW, PAID, SHIPPED
from tests.support import eventually


@pytest.fixture
def amqp(config):
    """A connection to the broker, whose queues are declared and empty."""
    declare(config, load_services())
    with pika.BlockingConnection(pika.URLParameters(config["AMQP_URI"] + "?heartbeat=0")) as found:
        yield found


@pytest.fixture
def channel(amqp):
    return amqp.channel()


@pytest.fixture
def run(config, monkeypatch):
    """`run("dead-letters", "list", code=0)`: what the command says, as text or, with --json, as
    JSON, without the line on which shop it is for; fails when it ends with another status than
    `code`."""
    monkeypatch.setenv("AMQP_URI", config["AMQP_URI"])

    def invoke(*arguments, code=0, input=None, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(shop, arguments, input=input)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert result.exit_code == code, result.output
        if "--json" in arguments and code < 2:
            return json.loads(result.stdout)
        lines = result.output.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("shop: "))

    return invoke


@pytest.fixture
def one_line():
    """Whether an output is one line that names a trouble."""
    return lambda output: output.startswith("Error: ") and output.count("\n") == 1


@pytest.fixture
def nowhere():
    """Addresses where nobody answers."""
    return types.SimpleNamespace(
        amqp="amqp://guest:hunter2@127.0.0.1:1/",
        database="postgresql+psycopg2://nobody:hunter2@127.0.0.1:1/shop",
    )


@pytest.fixture
def queues(channel):
    """The queues of two handlers, whatever they are called."""
    for queue in (PAID, SHIPPED):
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})


@pytest.fixture
def park(channel, queues):
    """`park("text")`: a dead letter as the chassis leaves it; its id."""

    def put(text, origin=PAID, age=60, why="KeyError after 6 attempts", body=None, **headers):
        message_id = str(uuid.uuid4())
        moment = (NOW - datetime.timedelta(seconds=age)).isoformat()
        ours = {"x-parked-from": origin, "x-parked-why": why, "x-parked-at": moment}
        event = {"nameko.occurred_at": moment, "nameko.request_id": "r-1", "x-attempts": 5}
        properties = pika.BasicProperties(
            message_id=message_id,
            type="order_paid",
            content_type="application/json",
            headers=event | ours | headers,
        )
        channel.basic_publish(
            "", BOX, orjson.dumps({"text": text}) if body is None else body, properties
        )
        return message_id

    channel.confirm_delivery()
    return put


@pytest.fixture
def lying(amqp):
    """`lying(queue)`: the messages in a queue, in their order; they stay there."""

    def look(queue):
        channel, found = amqp.channel(), []
        while (one := channel.basic_get(queue))[0] is not None:
            found.append(one)
        channel.close()
        eventually(lambda: depth(queue) == len(found))
        return found

    def depth(queue):
        channel = amqp.channel()
        count = channel.queue_declare(queue, passive=True).method.message_count
        channel.close()
        return count

    look.depth = depth
    return look


@pytest.fixture
def fresh(databases):
    """A `DATABASE_URL` of databases that are not there yet."""
    server = sa.make_url(databases)
    prefix = f"{server.database}_restored"
    yield server.set(database=prefix).render_as_string(hide_password=False)
    admin = sa.create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        ours = sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)")
        for name in connection.scalars(ours, {"prefix": prefix}).all():
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
