"""What belongs to one clone on this machine: its folder `var/`, its ports, its processes.

The ports are settings of the environment. HTTP_PORT decides; the others follow it at a fixed
distance unless they are set themselves, so that a second clone needs one setting only.
"""

import fcntl
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.local.postgres import PostgreSQL
from shop.local.rabbitmq import RabbitMQ
from shop.local.server import LOOPBACK, LocalError, Recipe, holder

ROOT = Path(__file__).resolve().parents[2]

HTTP_PORT = 8000

#: Distances from HTTP_PORT: 8672 for AMQP's usual 5672, 8432 for PostgreSQL's 5432. Each process of
#: a service has metrics of its own, on METRICS_PORT and those after it.
FOLLOWING = {
    "RABBITMQ_PORT": 672,
    "RABBITMQ_MANAGEMENT_PORT": 673,
    "RABBITMQ_DIST_PORT": 674,
    "RABBITMQ_EPMD_PORT": 675,
    "POSTGRES_PORT": 432,
    "METRICS_PORT": 1100,
}

#: Bounds on what one client may take (section `web` of config.yaml) that only a shop for this
#: machine alone can do without: here everybody comes from one address.
ONE_CLIENT = {
    "HTTP_PROBES": "true",
    "HTTP_CLIENT_CONNECTIONS": "4000",
    "HTTP_CLIENT_REQUESTS": "200",
    "HTTP_CLIENT_BODIES_LIMIT": "16777216",
    "HTTP_CLIENT_SIGN_INS": "200",
    "HTTP_MAX_SIGN_INS": "200",
    "RATE_LIMIT": "60000",
    "RATE_LIMIT_WRITES": "30000",
    "RATE_LIMIT_SIGN_IN": "6000",
}

#: Bytes of a socket's name, with what supervisord adds while it makes it.
LONGEST_SOCKET = 90

#: Name of the databases' prefix on the server of our own.
PREFIX = "shop"


@dataclass(frozen=True)
class Place:
    """The settings of one clone. `rabbitmq` and `postgres` are None where others are named."""

    var: Path
    http_host: str
    ports: dict[str, int]
    rabbitmq: RabbitMQ | None
    postgres: PostgreSQL | None

    @classmethod
    def from_environment(cls) -> "Place":
        var = Path(os.environ.get("SHOP_VAR") or ROOT / "var").absolute()
        ports = {"HTTP_PORT": _port("HTTP_PORT", HTTP_PORT)}
        for name, distance in FOLLOWING.items():
            ports[name] = _port(name, ports["HTTP_PORT"] + distance)
        rabbitmq = RabbitMQ(
            var / "rabbitmq",
            port=ports["RABBITMQ_PORT"],
            management_port=ports["RABBITMQ_MANAGEMENT_PORT"],
            dist_port=ports["RABBITMQ_DIST_PORT"],
            epmd_port=ports["RABBITMQ_EPMD_PORT"],
            owner=var,
        )
        return cls(
            var=var,
            # The demo accounts' passwords are in the README: this door is for this machine only.
            http_host=os.environ.get("HTTP_HOST", LOOPBACK),
            ports=ports,
            rabbitmq=None if os.environ.get("AMQP_URI") else rabbitmq,
            postgres=None
            if os.environ.get("DATABASE_URL")
            else PostgreSQL(var / "postgres", ports["POSTGRES_PORT"], owner=var),
        )

    @property
    def url(self) -> str:
        host = LOOPBACK if self.http_host in ("", "0.0.0.0") else self.http_host  # noqa: S104
        return f"http://{host}:{self.ports['HTTP_PORT']}"

    @property
    def servers(self) -> list[Recipe]:
        """Those that this clone runs itself."""
        return [recipe for recipe in (self.rabbitmq, self.postgres) if recipe]

    @property
    def gate(self) -> Path:
        """The file whose being there lets the services begin."""
        return self.var / "open"

    @property
    def control(self) -> Path:
        """supervisord's socket: in `var`, unless that lies too deep for the name of a socket."""
        path = self.var / "supervisor.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET:
            return path
        digest = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"shop-{digest}.sock"

    def metrics_port(self, number: int) -> int:
        """Where the metrics of a process are, of which there are `number` before it; 0 for none."""
        first = self.ports["METRICS_PORT"]
        return first and first + number

    def environment(self) -> dict[str, str]:
        """What the services read through config.yaml."""
        given = {"HTTP_HOST": self.http_host, "HTTP_PORT": str(self.ports["HTTP_PORT"])}
        given |= {name: os.environ.get(name) or value for name, value in ONE_CLIENT.items()}
        # Whoever tries a shop out on this machine orders more than a buyer does in an hour.
        for name in ("MAILS_PER_HOUR", "MAILS_PER_DAY"):
            given[name] = os.environ.get(name) or "1000000"
        given["MAIL_OUTBOX"] = os.environ.get("MAIL_OUTBOX") or str(self.var / "outbox")
        given["PAYMENT_PROVIDER"] = os.environ.get("PAYMENT_PROVIDER") or _provider()
        if self._webhook_secret.exists():
            given["SIMULATOR_WEBHOOK_URL"] = f"{self.url}/api/payments/webhooks/simulator"
            given["SIMULATOR_WEBHOOK_SECRETS"] = self._webhook_secret.read_text()
        if self.rabbitmq:
            given["AMQP_URI"] = self.rabbitmq.uri
            given["RABBITMQ_API"] = self.rabbitmq.api
        if self.postgres:
            given["DATABASE_URL"] = self.postgres.uri(PREFIX)
            given["SAMPLE_ACCOUNTS"] = "true"
        return given

    def renew_secrets(self) -> None:
        """Have the simulated payment provider sign its webhooks with a secret of this start."""
        self._webhook_secret.touch(mode=0o600)
        self._webhook_secret.write_text(secrets.token_hex(32))

    @property
    def _webhook_secret(self) -> Path:
        return self.var / "webhook-secret"

    def check_ports(self, processes: int) -> None:
        """LocalError that names a taken port, who has it and the setting that changes it; there
        will be so many `processes` with metrics."""
        metrics = [("METRICS_PORT", self.metrics_port(number)) for number in range(processes)]
        for name, port in [*self._own_ports().items(), *metrics]:
            if port and (by := holder(self.http_host if name == "HTTP_PORT" else LOOPBACK, port)):
                raise LocalError(f"port {port} is taken{by}: set {name} to a free one")

    def _own_ports(self) -> dict[str, int]:
        own = dict(self.ports)
        if not self.rabbitmq:
            own = {name: port for name, port in own.items() if not name.startswith("RABBITMQ_")}
        if not self.postgres:
            del own["POSTGRES_PORT"]
        return own

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the clone: one `shop run` at a time. LocalError when another one holds it."""
        self.var.mkdir(parents=True, exist_ok=True)
        with (self.var / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalError(
                    f"this clone's shop is running already (process {self.running()}): {self.url}"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
            file.truncate(0)

    def running(self) -> int | None:
        """The process of the `shop run` that holds this clone."""
        if not self.var.exists():
            return None
        with (self.var / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                return int(file.read() or 0) or None
        return None


def _provider() -> str:
    """Nobody pays to try the shop out; who has a key for Stripe wants to see that."""
    return "stripe" if os.environ.get("STRIPE_API_KEY", "").strip() else "simulator"


def _port(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if value == "0" and name == "METRICS_PORT":
        return 0  # nobody wants to see them
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise LocalError(f"{name} is {value}: a port is a number from 1 to 65535")
    return int(value)
