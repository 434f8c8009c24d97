"""`shop health`, which containers ask every few seconds."""

import eventlet
import sqlalchemy as sa

from chassis.service import Service
from shop.health import ask
from shop.operate.broker import connected, depth
from tests.proxy import Proxy


class Patient(Service):
    name = "patient"


def test_health(start, config):
    """A service that runs is ok; one that does not is told apart from a broker that is away."""
    start(Patient)
    assert ask(config["AMQP_URI"], "patient") == "ok"
    assert ask(config["AMQP_URI"], "stranger") == "nobody there"
    assert ask("amqp://guest:guest@127.0.0.1:1/", "patient").startswith("no broker")


def test_no_answer(start, config):
    """A service whose queue is there but which has ended does not answer in time."""
    (container,) = start(Patient)
    container.stop()
    assert ask(config["AMQP_URI"], "patient", patience=0.5) in ("no answer", "nobody there")


def test_a_broker_that_ends_while_it_is_asked(start, config, eventually):
    """That is no answer, and no traceback of the connection."""
    (container,) = start(Patient)
    container.stop()
    broker = sa.make_url(config["AMQP_URI"])
    proxy = Proxy((broker.host, broker.port))
    with connected(config["AMQP_URI"]) as connection:
        uri = broker.set(port=proxy.port).render_as_string(hide_password=False)
        asking = eventlet.spawn(ask, uri, "patient", 20)
        eventually(lambda: depth(connection, "rpc-patient"))
        proxy.close()
        assert asking.wait() == "no answer"
