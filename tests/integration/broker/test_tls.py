"""`amqps://`: services and commands talk to the broker that its authority vouches for, and to no
other."""

import eventlet
import pytest
from click.testing import CliRunner
from nameko.containers import get_container_cls
from nameko.standalone.rpc import ClusterRpcProxy

from chassis import config as configuration
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service
from shop.cli import shop
from shop.health import ask
from shop.operate.broker import connected, stock_settings
from shop.options import CannotTell, WrongSetting
from tests.integration.broker.certificates import Authority
from tests.support import eventually


class Secretive(Service):
    """Calls itself: what is too large for one record or one frame goes both ways."""

    name = "secretive"
    secretive = RpcProxy("secretive", timeout=5)

    @rpc
    def repeat(self, text):
        return text

    @rpc
    def through(self, size):
        return len(self.secretive.repeat("x" * size))


@pytest.fixture
def trust(monkeypatch, node):
    """`trust(authority, uri=...)`: the settings of a process, and `AMQP_URI` itself."""

    def set_up(authority, uri=node.secure_uri, **files):
        monkeypatch.setenv("AMQP_URI", uri)
        monkeypatch.setenv("AMQP_CA_FILE", str(authority.file))
        for name, path in files.items():
            monkeypatch.setenv(name, str(path))
        return configuration.load()

    return set_up


@pytest.fixture
def run():
    """`run(config)`: the service, until the end of the test."""
    containers = []

    def begin(config):
        container = get_container_cls(config)(Secretive, config)
        containers.append(container)
        return container, eventlet.spawn(container.start)

    yield begin
    for container in containers:
        container.kill()


def test_all_of_it_works_over_tls(node, authority, trust, run, tmp_path):
    """Services, stock clients, `shop health` and pika's commands, with a certificate of ours."""
    authority.certify(tmp_path, "secretive", "127.0.0.1")
    files = {
        "AMQP_CERT_FILE": tmp_path / "secretive.pem",
        "AMQP_KEY_FILE": tmp_path / "secretive.key",
    }
    container, starting = run(trust(authority, **files))
    starting.wait()
    with ClusterRpcProxy(stock_settings(node.secure_uri), timeout=10) as cluster:
        assert cluster.secretive.repeat("hush") == "hush"
        assert cluster.secretive.through(500_000) == 500_000
    assert ask(node.secure_uri, "secretive") == "ok"
    with connected(node.secure_uri) as connection:
        assert connection.is_open
    listed = CliRunner().invoke(shop, ["dead-letters", "list", "--json"])
    assert listed.exit_code == 0, listed.output
    with eventlet.Timeout(5):
        container.stop()


def test_a_lost_connection_comes_back(node, authority, trust, run):
    """As one without TLS does, with the heartbeat that the settings say."""
    container, starting = run(trust(authority, AMQP_HEARTBEAT=7))
    starting.wait()
    lost = [e for e in container.extensions if getattr(e, "_connection", None)]
    assert len(lost) == 2
    for extension in lost:
        connection = extension._connection._connection
        assert connection.heartbeat == 7
        assert connection.transport.sock.gettimeout() is None  # it may be silent for long
        extension._connection.drop()
    assert eventually(lambda: ask(node.secure_uri, "secretive") == "ok")
    assert not container._died.ready()


def test_the_wrong_authority_is_refused(node, trust, run, tmp_path, logged):
    """A service says so and tries again; a command says so in one line."""
    _, starting = run(trust(Authority(tmp_path)))
    eventually(lambda: any("CERTIFICATE_VERIFY_FAILED" in line for line in logged))
    assert not any("guest:guest" in line for line in logged)
    assert "certificate verify failed" in ask(node.secure_uri, "secretive")
    with pytest.raises(CannotTell, match="certificate verify failed"):
        connected(node.secure_uri).__enter__()
    starting.kill()


def test_the_certificate_has_to_be_of_the_host(node, authority, trust):
    """A good certificate of another host is a wrong one."""
    elsewhere = node.secure_uri.replace("127.0.0.1", "localhost")
    trust(authority, elsewhere)
    assert "certificate verify failed" in ask(elsewhere, "secretive")
    with pytest.raises(CannotTell, match="certificate verify failed"):
        connected(elsewhere).__enter__()


def test_files_that_are_none_are_named(authority, trust, tmp_path):
    """In one line, before anything starts."""
    config = trust(authority, AMQP_CERT_FILE=tmp_path / "nowhere.pem")
    with pytest.raises(SystemExit, match=r"AMQP_TLS.cert_file: There is no file .*nowhere.pem"):
        get_container_cls(config)(Secretive, config)
    with pytest.raises(WrongSetting, match="AMQP_CERT_FILE"):
        connected(config["AMQP_URI"]).__enter__()
