"""RabbitMQ as a private node: the installed binary with its own ports, data, cookie and epmd.

The node listens on the loopback only and knows the user guest:guest, as RabbitMQ does by default.
"""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.local.server import LOOPBACK, MARK, LocalError, Server, free_ports, sweep

#: Debian's /usr/sbin/rabbitmq-server wants root and its own user; the script behind it does not.
#: Homebrew's sbin is often missing from PATH.
INSTALLED = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
)

CONFIGURATION = """\
listeners.tcp.1 = {host}:{port}
management.tcp.ip = {host}
management.tcp.port = {management_port}
log.file = false
log.console = true
log.console.level = warning
"""


def find_binary() -> str | None:
    """Path of an installed rabbitmq-server, RABBITMQ_SERVER first; None when there is none."""
    chosen = os.environ.get("RABBITMQ_SERVER")
    if chosen is not None:
        return chosen if os.access(chosen, os.X_OK) else None
    for path in INSTALLED:
        if os.access(path, os.X_OK):
            return path
    return shutil.which("rabbitmq-server")


LOCAL_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"

#: Erlang's schedulers would spin for a while before they sleep, on cores that the services need
#: (https://www.rabbitmq.com/docs/runtime#cpu-reduce-idle-usage).
NO_BUSY_WAITING = "+sbwt none +sbwtdcpu none +sbwtdio none"


@dataclass(frozen=True)
class RabbitMQ:
    """A node with its data in `directory`. Four ports: AMQP, management HTTP, Erlang, epmd."""

    directory: Path
    port: int
    management_port: int
    dist_port: int
    epmd_port: int
    owner: Path | None = None
    name: str = "RabbitMQ"

    stop_signal = signal.SIGTERM

    @property
    def uri(self) -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}/"

    @property
    def api(self) -> str:
        """Address of the management HTTP API and page, credentials included."""
        return f"http://guest:guest@{LOOPBACK}:{self.management_port}"

    @property
    def page(self) -> str:
        """Address of the management page for a browser."""
        return f"http://{LOOPBACK}:{self.management_port}"

    @property
    def log(self) -> Path:
        return self.directory / "rabbitmq.log"

    @property
    def ports(self) -> list[int]:
        return [self.port, self.management_port, self.dist_port, self.epmd_port]

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "rabbitmq.conf").write_text(
            CONFIGURATION.format(
                host=LOOPBACK, port=self.port, management_port=self.management_port
            )
        )
        (self.directory / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def command(self) -> list[str]:
        binary = find_binary()
        if binary is None:
            raise LocalError("rabbitmq-server is not installed")
        return [binary]

    def environment(self) -> dict[str, str]:
        directory = self.directory.resolve()
        return {
            MARK: str((self.owner or self.directory).resolve()),
            "HOME": str(directory),  # Erlang keeps its cookie there
            "RABBITMQ_NODENAME": "shop@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_MNESIA_BASE": str(directory / "data"),
            "RABBITMQ_LOG_BASE": str(directory),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(
                directory / "none"
            ),  # not the machine's rabbitmq-env.conf
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{LOCAL_ONLY} {NO_BUSY_WAITING}",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            # The start script then becomes the node instead of waiting for it, so that signals
            # and exit codes are the node's own.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def answers(self) -> bool:
        """Speak AMQP to it: the port is opened last, after the plugins."""
        return speaks_amqp(LOOPBACK, self.port)


def speaks_amqp(host: str, port: int, timeout: float = 2) -> bool:
    """Whether a broker offers a connection there."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"  # a method frame: Connection.Start
    except OSError:
        return False


class PrivateRabbitMQ(Server):
    """A node with `.uri`, `.api`, `.pid`, `.start()`, `.stop()` and `.kill()`."""

    @property
    def uri(self) -> str:
        return self.recipe.uri

    @property
    def api(self) -> str:
        return self.recipe.api


@contextmanager
def private_rabbitmq(directory: Path) -> Iterator[PrivateRabbitMQ]:
    """A node on free ports with its data in `directory`; gone, with its epmd, at the end.

    It is killed, not stopped: closing the management plugin in order takes it five seconds.
    """
    server = PrivateRabbitMQ(RabbitMQ(Path(directory), *free_ports(4)))
    try:
        server.start()
        yield server
    finally:
        server.kill()
        sweep(Path(directory), grace=0)  # epmd outlives its node
