"""The shop's own queues in the test broker, and `shop` as an operator types it."""

import json
import types

import pika
import pytest
from click.testing import CliRunner

from chassis.broker import topology
from shop.cli import shop
from shop.migrate import load_services


@pytest.fixture
def amqp(config):
    """A connection to the broker, whose queues are declared and empty."""
    topology.declare(config, load_services())
    with pika.BlockingConnection(pika.URLParameters(config["AMQP_URI"] + "?heartbeat=0")) as found:
        yield found


@pytest.fixture
def channel(amqp):
    return amqp.channel()


@pytest.fixture
def run(config, monkeypatch):
    """`run("dead-letters", "list", code=0)`: what the command says, as text or, with --json, as
    JSON; fails when it ends with another status than `code`."""
    monkeypatch.setenv("AMQP_URI", config["AMQP_URI"])

    def invoke(*arguments, code=0, input=None, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(shop, arguments, input=input)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert result.exit_code == code, result.output
        if "--json" in arguments and code < 2:
            return json.loads(result.stdout)
        return result.output

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
