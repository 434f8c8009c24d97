"""A RabbitMQ of these tests' own: they make users, and raise alarms that stop whoever publishes."""

import dataclasses

import pytest

from shop.local.rabbitmq import PrivateRabbitMQ, RabbitMQ
from shop.local.server import free_ports, sweep
from tests.integration.broker.certificates import Authority

#: Clients may show a certificate; one that is shown has to be good.
TLS = """
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {directory}/ca.pem
ssl_options.certfile = {directory}/broker.pem
ssl_options.keyfile = {directory}/broker.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
"""


@dataclasses.dataclass(frozen=True)
class SecureRabbitMQ(RabbitMQ):
    """Listens for TLS too."""

    tls_port: int = 0

    def prepare(self):
        super().prepare()
        with (self.directory / "rabbitmq.conf").open("a") as settings:
            settings.write(TLS.format(port=self.tls_port, directory=self.directory))


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Who signs the broker's certificate."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def node(tmp_path_factory, authority):
    """`.uri` and, with TLS, `.secure_uri`, `.api`, `.recipe`: guest may do everything there."""
    directory = tmp_path_factory.mktemp("node")
    authority.certify(directory, "broker", "127.0.0.1")
    (directory / "ca.pem").write_bytes(authority.file.read_bytes())
    *ports, tls_port = free_ports(5)
    server = PrivateRabbitMQ(SecureRabbitMQ(directory, *ports, tls_port=tls_port))
    server.secure_uri = f"amqps://guest:guest@127.0.0.1:{tls_port}/"
    try:
        server.start()
        yield server
    finally:
        server.kill()
        sweep(directory, grace=0)
