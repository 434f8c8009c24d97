"""What supervisord is told."""

import configparser
import shlex

import pytest

from shop.local import supervision
from shop.local.place import Place
from shop.local.rabbitmq import RabbitMQ
from shop.local.scale import scale_of
from shop.packages import SERVICE_PACKAGES

GROUPS = ("services", "servers")


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    """`configuration(var)`: the sections for a clone with a broker of its own."""
    monkeypatch.setenv("RABBITMQ_SERVER", "/bin/true")

    def parse(var=tmp_path, *wishes):
        rabbitmq = RabbitMQ(var / "rabbitmq", 1, 2, 3, 4, owner=var)
        ports = {"HTTP_PORT": 8000, "METRICS_PORT": 9100}
        place = Place(var, "127.0.0.1", ports, rabbitmq, None)
        var.mkdir(parents=True, exist_ok=True)
        place.renew_secrets()
        # As supervisord does, it expands %% and %(name)s.
        parser = configparser.ConfigParser(defaults={"process_num": "7"})
        parser.read_string(supervision.configuration(place, scale_of(wishes)).replace(")d", ")s"))
        return parser

    return parse


def test_every_process_is_started_again(configuration):
    """Whatever dies comes back, without an end to it."""
    parser = configuration()
    programs = [name for name in parser.sections() if "program:" in name]
    assert {name.partition(":")[2] for name in programs} == {*SERVICE_PACKAGES, "rabbitmq"}
    for name in programs:
        assert parser.getboolean(name, "autorestart")
        assert parser.getint(name, "startretries") > 100_000


def test_order_of_the_end(configuration):
    """Higher stops first: the door, then the services together, then the servers."""
    parser = configuration()
    order = {name: parser.getint(f"group:{name}", "priority") for name in GROUPS}
    door = parser.getint("fcgi-program:gateway", "priority")
    assert door > order["services"] > order["servers"]
    members = ",".join(parser.get(f"group:{name}", "programs") for name in GROUPS)
    assert sorted((*members.split(","), "gateway")) == sorted((*SERVICE_PACKAGES, "rabbitmq"))


def test_folder_with_odd_characters(configuration, tmp_path):
    """A clone may lie in a folder with a space or a percent sign in its name."""
    var = tmp_path / "50% off" / "var"
    parser = configuration(var)
    command = shlex.split(parser.get("program:orders", "command"))
    assert command[-1] == str(var / "open")
    assert f'HOME="{var / "rabbitmq"}"' in parser.get("program:rabbitmq", "environment")


def test_a_slot_more_than_run(configuration, tmp_path):
    """So that the next process of a service can start before another one stops; each has metrics
    on a port of its own."""
    parser = configuration(tmp_path, "orders=2 gateway=3")
    slots = [("fcgi-program:gateway", 4, 9100), ("program:notifications", 2, 9104)]
    slots += [("program:orders", 3, 9106), ("program:payments", 2, 9109)]
    for name, count, port in slots:
        assert parser.getint(name, "numprocs") == count
        assert shlex.split(parser.get(name, "command"))[4:6] == ["7", str(port)]
    names = {parser.get(name, "process_name") for name, *_ in slots}
    assert names == {"gateway-7", "notifications-7", "orders-7", "payments-7"}


def test_gateways_share_a_socket(configuration):
    """Theirs is their standard input, and no setting of others."""
    parser = configuration()
    assert parser.get("fcgi-program:gateway", "socket") == "tcp://127.0.0.1:8000"
    assert 'HTTP_LISTEN_FD="0"' in parser.get("fcgi-program:gateway", "environment")
    assert "HTTP_LISTEN_FD" not in parser.get("program:orders", "environment")
