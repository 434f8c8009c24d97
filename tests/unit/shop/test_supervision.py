"""What supervisord is told."""

import configparser
import shlex

import pytest

from shop.local import supervision
from shop.local.place import Place
from shop.local.rabbitmq import RabbitMQ
from shop.migrate import SERVICE_MODULES

GROUPS = ("door", "services", "servers")


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    """`configuration(var)`: the sections for a clone with a broker of its own."""
    monkeypatch.setenv("RABBITMQ_SERVER", "/bin/true")

    def parse(var=tmp_path):
        rabbitmq = RabbitMQ(var / "rabbitmq", 1, 2, 3, 4, owner=var)
        place = Place(var, "127.0.0.1", {"HTTP_PORT": 8000}, rabbitmq, None)
        parser = configparser.ConfigParser()  # expands %% as supervisord does
        parser.read_string(supervision.configuration(place))
        return parser

    return parse


def test_every_process_is_started_again(configuration):
    """Whatever dies comes back, without an end to it."""
    parser = configuration()
    programs = [name for name in parser.sections() if name.startswith("program:")]
    assert set(programs) == {f"program:{name}" for name in (*SERVICE_MODULES, "rabbitmq")}
    for name in programs:
        assert parser.getboolean(name, "autorestart")
        assert parser.getint(name, "startretries") > 100_000


def test_order_of_the_end(configuration):
    """Higher stops first: the door, then the services together, then the servers."""
    parser = configuration()
    order = {name: parser.getint(f"group:{name}", "priority") for name in GROUPS}
    assert order["door"] > order["services"] > order["servers"]
    members = ",".join(parser.get(f"group:{name}", "programs") for name in GROUPS)
    assert sorted(members.split(",")) == sorted((*SERVICE_MODULES, "rabbitmq"))


def test_folder_with_odd_characters(configuration, tmp_path):
    """A clone may lie in a folder with a space or a percent sign in its name."""
    var = tmp_path / "50% off" / "var"
    parser = configuration(var)
    command = shlex.split(parser.get("program:orders", "command"))
    assert command[-1] == str(var / "open")
    assert f'HOME="{var / "rabbitmq"}"' in parser.get("program:rabbitmq", "environment")
