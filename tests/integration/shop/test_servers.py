"""The private servers of `shop run` and of the tests: killed, started again, gone at the end."""

import psycopg2
import pytest
from amqp import Connection, Message

from shop.local.postgres import private_postgres
from shop.local.rabbitmq import private_rabbitmq
from shop.local.server import marked
from tests.support import eventually


@pytest.fixture
def rabbitmq(tmp_path):
    with private_rabbitmq(tmp_path / "rabbitmq") as server:
        yield server
    assert marked(tmp_path / "rabbitmq") == []


@pytest.fixture
def postgres(tmp_path):
    with private_postgres(tmp_path / "postgres") as server:
        yield server
    assert marked(tmp_path / "postgres") == []


def connect(postgres):
    return psycopg2.connect(postgres.uri.replace("+psycopg2", ""))


def test_postgres_killed(postgres):
    """What was committed is there after a kill and a start, under the same address."""
    before = postgres.uri, postgres.pid
    with connect(postgres) as connection:
        connection.cursor().execute("CREATE TABLE kept AS SELECT 1 AS one")
    connection.close()
    postgres.kill()
    with pytest.raises(psycopg2.OperationalError):
        connect(postgres)
    postgres.start()
    assert (postgres.uri, postgres.pid != before[1]) == (before[0], True)
    connection = connect(postgres)
    cursor = connection.cursor()
    cursor.execute("SELECT one FROM kept")
    assert cursor.fetchone() == (1,)
    connection.close()


def test_postgres_wants_a_password(postgres):
    """Nobody gets in without the password, though the server only listens on this machine."""
    with pytest.raises(psycopg2.OperationalError, match="no password"):
        psycopg2.connect(host="127.0.0.1", port=postgres.recipe.port, user="postgres")


def test_rabbitmq_killed(rabbitmq, tmp_path):
    """A durable queue and a persistent message outlive a kill, under the same address.

    RabbitMQ confirms a message once it is on the disk, but writes down that there is a queue a
    moment after it has said so. The kill may cut off the end of what it writes: so there is a
    second queue, whose name is seen when all of the first is there.
    """
    queue, last, data = "kept-by-the-disk", b"written-later", tmp_path / "rabbitmq" / "data"
    address = rabbitmq.uri.partition("@")[2].rstrip("/")
    with Connection(host=address) as connection:
        channel = connection.channel()
        channel.confirm_select()
        channel.queue_declare(queue, durable=True, auto_delete=False)
        channel.basic_publish_confirm(Message("x", delivery_mode=2), routing_key=queue)
        channel.queue_declare(last.decode(), durable=True, auto_delete=False)
    written = ("*.LOG", "*.DCD", "*.DCL")
    logs = [path for pattern in written for path in data.rglob(pattern)]
    eventually(lambda: any(last in path.read_bytes() for path in logs), timeout=30)
    rabbitmq.kill()
    with pytest.raises(ConnectionRefusedError):
        Connection(host=address).connect()
    rabbitmq.start()
    with Connection(host=address) as connection:
        assert connection.channel().basic_get(queue, no_ack=True).body == "x"
