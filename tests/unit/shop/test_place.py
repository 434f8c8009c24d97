"""One clone's ports, folder and lock."""

import errno
import socket

import pytest

from shop.local.place import FOLLOWING, Place, running
from shop.local.server import LocalError, free_ports

SETTINGS = ("AMQP_URI", "DATABASE_URL", "HTTP_HOST", "HTTP_PORT", "MAIL_OUTBOX", *FOLLOWING)


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Nothing is set but the folder."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOP_VAR", str(tmp_path / "var"))
    return monkeypatch


@pytest.fixture
def listener():
    """A socket that listens on a port of the loopback."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def test_ports_follow_the_door(environment):
    """Another HTTP_PORT moves every port, so a second clone needs one setting."""
    first = Place.from_environment().ports
    environment.setenv("HTTP_PORT", "9000")
    second = Place.from_environment().ports
    assert first["HTTP_PORT"] == 8000
    assert {name: port + 1000 for name, port in first.items()} == second
    assert len(set(first.values())) == 7


def test_own_setting_wins(environment):
    """A port that is set is taken as it is; the others still follow."""
    environment.setenv("RABBITMQ_PORT", "5700")
    ports = Place.from_environment().ports
    assert ports["RABBITMQ_PORT"] == 5700
    assert ports["POSTGRES_PORT"] == 8432


@pytest.mark.parametrize(
    "value", ["abc", "0", "65536", "-1", "80 81", "\uff18\uff10\uff10\uff10", "9" * 5000]
)
def test_malformed_port(environment, value):
    """What is no port is refused by the name of its setting."""
    environment.setenv("POSTGRES_PORT", value)
    with pytest.raises(LocalError, match="POSTGRES_PORT"):
        Place.from_environment()


def test_ports_of_metrics(environment, listener):
    """One for each process from METRICS_PORT on, unless that is 0."""
    port = listener.getsockname()[1]
    http_port = next(free for free in free_ports(3) if free not in (port - 2, port - 1))
    environment.setenv("HTTP_PORT", str(http_port))
    environment.setenv("AMQP_URI", "amqp://elsewhere")
    environment.setenv("DATABASE_URL", "postgresql://elsewhere")
    environment.setenv("METRICS_PORT", str(port - 2))
    place = Place.from_environment()
    assert [place.metrics_port(number) for number in range(3)] == [port - 2, port - 1, port]
    # The listener has the third; somebody else may have one of the others by now.
    one_of_them = f"({port - 2}|{port - 1}|{port})"
    with pytest.raises(LocalError, match=rf"port {one_of_them} is taken.*set METRICS_PORT"):
        place.check_ports(3)
    environment.setenv("METRICS_PORT", "0")
    place = Place.from_environment()
    place.check_ports(3)
    assert place.metrics_port(2) == 0


def test_the_socket_of_a_deep_folder(environment, tmp_path):
    """Its name would be too long for a socket in there."""
    assert Place.from_environment().control == tmp_path / "var" / "supervisor.sock"
    for deep in ("a" * 100, "b" * 100):
        environment.setenv("SHOP_VAR", str(tmp_path / deep))
        assert len(str(Place.from_environment().control)) < 60


def test_taken_port(environment, listener):
    """A taken port is told with the setting that changes it, and who has it."""
    port = listener.getsockname()[1]
    environment.setenv("HTTP_PORT", str(*free_ports(1)))
    environment.setenv("RABBITMQ_PORT", str(port))
    with pytest.raises(LocalError, match=rf"port {port} is taken.*set RABBITMQ_PORT"):
        Place.from_environment().check_ports(1)


def test_ports_that_follow_end_somewhere(environment):
    """The setting that was made is named, not the one that follows from it."""
    environment.setenv("HTTP_PORT", "65000")
    with pytest.raises(LocalError, match=r"HTTP_PORT is 65000.*64435 is the highest"):
        Place.from_environment()
    environment.setenv("HTTP_PORT", "64435")
    assert Place.from_environment().ports["METRICS_PORT"] == 65535


def test_the_last_port_of_metrics(environment):
    """Each process has its own."""
    environment.setenv("HTTP_PORT", str(*free_ports(1)))
    environment.setenv("METRICS_PORT", "65530")
    place = Place.from_environment()
    with pytest.raises(LocalError, match=r"METRICS_PORT is 65530.*65524 is the highest"):
        place.check_ports(12)


def test_one_port_for_two(environment):
    """Both settings are named."""
    port = str(*free_ports(1))
    environment.setenv("HTTP_PORT", port)
    for name in ("RABBITMQ_PORT", "METRICS_PORT"):
        environment.setenv(name, port)
        with pytest.raises(LocalError, match=f"port {port} is meant by HTTP_PORT and by {name}"):
            Place.from_environment().check_ports(1)
        environment.delenv(name)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "nowhere.invalid", "::1", "localhost:9", "*", "a" * 70]
)
def test_no_address_of_this_machine(environment, host):
    """The setting is named, not a port that would be taken."""
    environment.setenv("HTTP_PORT", str(*free_ports(1)))
    for name in ("HTTP_HOST", "METRICS_HOST"):
        environment.setenv(name, host)
        with pytest.raises(LocalError, match=f"{name} is"):
            Place.from_environment().check_ports(1)
        environment.delenv(name)


def test_a_port_for_root_only(environment, monkeypatch):
    """It is not taken, and no other process has to be looked for."""
    environment.setenv("HTTP_PORT", "80")
    monkeypatch.setattr("shop.local.server._is_answered", lambda host, port: False)
    monkeypatch.setattr("shop.local.server._refusal", lambda host, port: errno.EACCES)
    with pytest.raises(LocalError, match="port 80 is for root only: set HTTP_PORT to a higher"):
        Place.from_environment().check_ports(1)


def test_ports_of_others_do_not_matter(environment, listener):
    """Whose broker is named elsewhere needs no port of its own."""
    ports = free_ports(1 + len(FOLLOWING))
    environment.setenv("HTTP_PORT", str(ports.pop()))
    for name in FOLLOWING:
        environment.setenv(name, str(ports.pop()))
    environment.setenv("RABBITMQ_PORT", str(listener.getsockname()[1]))
    environment.setenv("AMQP_URI", "amqp://guest:guest@broker/")
    place = Place.from_environment()
    place.check_ports(1)
    assert place.rabbitmq is None


def test_door_is_for_this_machine(environment):
    """Accounts with a known password are not shown to the network unless asked for."""
    environment.setenv("DATABASE_URL", "postgresql://elsewhere/shop")
    assert Place.from_environment().environment()["HTTP_HOST"] == "127.0.0.1"
    environment.setenv("HTTP_HOST", "0.0.0.0")
    place = Place.from_environment()
    assert place.environment()["HTTP_HOST"] == "0.0.0.0"
    assert place.url == "http://127.0.0.1:8000"


def test_webhooks_come_through_the_door(environment):
    """The simulated provider tells the gateway, with a secret of this start that every process of
    the clone reads, and nobody else."""
    environment.setenv("DATABASE_URL", "postgresql://elsewhere/shop")
    environment.setenv("HTTP_PORT", "9000")
    place = Place.from_environment()
    assert "SIMULATOR_WEBHOOK_URL" not in place.environment()
    found = []
    place.var.mkdir()
    for _ in range(2):
        place.renew_secrets()
        given = Place.from_environment().environment()
        found.append(given["SIMULATOR_WEBHOOK_SECRETS"])
    assert given["SIMULATOR_WEBHOOK_URL"] == (
        "http://127.0.0.1:9000/api/payments/webhooks/simulator"
    )
    assert [len(secret) for secret in found] == [64, 64]
    assert len(set(found)) == 2
    assert (place.var / "webhook-secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("given", "key", "provider"),
    [("", "", "simulator"), ("", " ", "simulator"), ("", "sk_test_1", "stripe"),
     ("stripe", "", "stripe"), ("simulator", "sk_test_1", "simulator")],
)  # fmt: skip
def test_nobody_pays_to_try_the_shop_out(environment, given, key, provider):
    """`make run` asks for the simulator, unless another provider, or a key for Stripe, is given."""
    environment.setenv("DATABASE_URL", "postgresql://elsewhere/shop")
    environment.setenv("PAYMENT_PROVIDER", given)
    environment.setenv("STRIPE_API_KEY", key)
    assert Place.from_environment().environment()["PAYMENT_PROVIDER"] == provider


def test_before_the_first_start(environment):
    """Who asks for addresses before there is a server is told to start it."""
    with pytest.raises(LocalError, match="start the shop once"):
        Place.from_environment().environment()


def test_one_run_at_a_time(environment):
    """A clone that is held says by whom, and is free again afterwards."""
    place = Place.from_environment()
    with place.lock():
        with pytest.raises(LocalError, match="running already"), place.lock():
            pass
        assert running()
    assert running() is None
    with place.lock():
        pass
