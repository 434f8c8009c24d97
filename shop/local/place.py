"""What belongs to one clone on this machine: its folder `var/`, its ports, its processes.

The ports are settings of the environment of `shop run`. HTTP_PORT decides; the others follow it at
a fixed distance unless they are set themselves, so that a second clone needs one setting only.
While the shop runs, these settings are in `var/running.json`: commands in other terminals take them
from there.
"""

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from shop.local.postgres import PostgreSQL
from shop.local.rabbitmq import RabbitMQ
from shop.local.server import LOOPBACK, LocalError, Recipe, check_host, check_port
from shop.packages import DATABASE_PACKAGES

ROOT = Path(__file__).resolve().parents[2]

HTTP_PORT = 8000
HIGHEST_PORT = 65535

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

#: Bounds on what one client may take (section `web` of config.yaml) and one recipient may get: only
#: a shop for this machine alone can do without, where everybody comes from one address.
ONE_CLIENT = {
    "HTTP_PROBES": "true",
    "HTTP_CLIENT_CONNECTIONS": "1000",
    "HTTP_CLIENT_REQUESTS": "100",
    "HTTP_CLIENT_BODIES_LIMIT": "8388608",
    "HTTP_CLIENT_SIGN_INS": "12",
    "RATE_LIMIT": "60000",
    "RATE_LIMIT_WRITES": "30000",
    "RATE_LIMIT_SIGN_IN": "6000",
    "RATE_LIMIT_WEBHOOKS": "60000",
    # Whoever tries a shop out orders more than a buyer does in an hour.
    "MAILS_PER_HOUR": "1000000",
    "MAILS_PER_DAY": "1000000",
}
#: Settings that say where the servers of others are, and how to reach them.
SERVERS_OF_OTHERS = (
    "AMQP_URI",
    "AMQP_CA_FILE",
    "AMQP_CERT_FILE",
    "AMQP_KEY_FILE",
    "RABBITMQ_API",
    "DATABASE_URL",
    *(f"{package.upper()}_DATABASE_URL" for package in DATABASE_PACKAGES),
)

#: Bytes of a socket's name, with what supervisord adds while it makes it.
LONGEST_SOCKET = 90

#: Name of the databases' prefix on the server of our own.
PREFIX = "shop"


@dataclass(frozen=True)
class Place:
    """The settings of one clone. `rabbitmq` and `postgres` are None where others are named; `given`
    are the settings that name them, and MAIL_OUTBOX."""

    var: Path
    http_host: str
    ports: dict[str, int]
    rabbitmq: RabbitMQ | None
    postgres: PostgreSQL | None
    given: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Place":
        """As `shop run` starts it with these settings; LocalError for one that makes no sense."""
        var = clone_folder()
        ports = {"HTTP_PORT": _port(environment, "HTTP_PORT", HTTP_PORT)}
        for name, distance in FOLLOWING.items():
            ports[name] = _following(environment, name, ports["HTTP_PORT"], distance)
        rabbitmq = RabbitMQ(
            var / "rabbitmq",
            port=ports["RABBITMQ_PORT"],
            management_port=ports["RABBITMQ_MANAGEMENT_PORT"],
            dist_port=ports["RABBITMQ_DIST_PORT"],
            epmd_port=ports["RABBITMQ_EPMD_PORT"],
            owner=var,
        )
        names = (*SERVERS_OF_OTHERS, "MAIL_OUTBOX")
        given = {name: environment[name] for name in names if environment.get(name)}
        return cls(
            var=var,
            # The demo accounts' passwords are in the README: this door is for this machine only.
            http_host=environment.get("HTTP_HOST", LOOPBACK),
            ports=ports,
            rabbitmq=None if "AMQP_URI" in given else rabbitmq,
            postgres=None
            if "DATABASE_URL" in given
            else PostgreSQL(var / "postgres", ports["POSTGRES_PORT"], owner=var),
            given=given,
        )

    @classmethod
    def of_running(cls) -> "Place":
        """As the running shop of this clone was started, whatever the environment is here;
        LocalError when none runs."""
        if not (process := running()):
            raise LocalError("no shop of this clone is running: make run starts it")
        try:
            settings = json.loads(_record().read_text())
        except FileNotFoundError:
            raise LocalError(
                f"this clone's shop is just starting or stopping (process {process}): try again"
            ) from None
        return cls.from_environment(settings)

    def record(self) -> None:
        """Tell the commands in other terminals how this shop was started."""
        settings = self.given | {"HTTP_HOST": self.http_host}
        settings |= {name: str(port) for name, port in self.ports.items()}
        write_private(_record(), json.dumps(settings, indent=2))

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
        found = {"MAIL_OUTBOX": str(self.var / "outbox")} | self.given
        found |= {"HTTP_HOST": self.http_host, "HTTP_PORT": str(self.ports["HTTP_PORT"])}
        found |= {name: os.environ.get(name) or value for name, value in ONE_CLIENT.items()}
        found["PAYMENT_PROVIDER"] = os.environ.get("PAYMENT_PROVIDER") or _provider()
        if self._webhook_secret.exists():
            found["SIMULATOR_WEBHOOK_URL"] = f"{self.url}/api/payments/webhooks/simulator"
            found["SIMULATOR_WEBHOOK_SECRETS"] = self._webhook_secret.read_text()
        if self.rabbitmq:
            found["AMQP_URI"] = self.rabbitmq.uri
            found["RABBITMQ_API"] = self.rabbitmq.api
        if self.postgres:
            found["DATABASE_URL"] = self.postgres.uri(PREFIX)
            found["SAMPLE_ACCOUNTS"] = "true"
        return found

    def renew_secrets(self) -> None:
        """Have the simulated payment provider sign its webhooks, and supervisord be asked, with
        secrets of this start."""
        for file in (self._webhook_secret, self._control_password):
            write_private(file, secrets.token_hex(32))

    @property
    def control_password(self) -> str:
        """What supervisord wants to hear at its socket."""
        return self._control_password.read_text()

    @property
    def _control_password(self) -> Path:
        return self.var / "control-password"

    @property
    def _webhook_secret(self) -> Path:
        return self.var / "webhook-secret"

    def check_ports(self, processes: int) -> None:
        """LocalError that names a port that can't be had, why, and the setting that changes it;
        there will be so many `processes` with metrics."""
        check_host("HTTP_HOST", self.http_host)
        check_host("METRICS_HOST", os.environ.get("METRICS_HOST") or LOOPBACK)
        wanted: dict[int, str] = {}
        for name, port in self._wanted_ports(processes):
            if port > HIGHEST_PORT:
                last = HIGHEST_PORT - processes + 1
                raise LocalError(
                    f"METRICS_PORT is {self.ports[name]}: {processes} processes need one port each,"
                    f" so {last} is the highest"
                )
            if port in wanted:
                raise LocalError(
                    f"port {port} is meant by {wanted[port]} and by {name}: change one"
                )
            wanted[port] = name
        for port, name in wanted.items():
            check_port(name, self.http_host if name == "HTTP_PORT" else LOOPBACK, port)

    def _wanted_ports(self, processes: int) -> Iterator[tuple[str, int]]:
        """Each with the setting that it comes from."""
        own = self._own_ports()
        first = own.pop("METRICS_PORT")
        yield from own.items()
        if first:
            yield from (("METRICS_PORT", first + number) for number in range(processes))

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
            if not _locked(file, seconds=1):  # who only looks has it for a moment
                raise LocalError(f"this clone's shop is running already (process {running()})")
            _record().unlink(missing_ok=True)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
            _record().unlink(missing_ok=True)
            file.truncate(0)


def running() -> int | None:
    """The process of the `shop run` that holds this clone."""
    lock = clone_folder() / "lock"
    if not lock.exists():
        return None
    with lock.open("a+") as file:
        if _locked(file):
            return None
        file.seek(0)
        return int(file.read() or 0) or None


def _provider() -> str:
    """Nobody pays to try the shop out; who has a key for Stripe wants to see that."""
    return "stripe" if os.environ.get("STRIPE_API_KEY", "").strip() else "simulator"


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step; only its owner may read it."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600, exist_ok=False)
    new.write_text(text)
    new.replace(path)


def clone_folder() -> Path:
    """Where everything lies that this clone's shop writes."""
    return Path(os.environ.get("SHOP_VAR") or ROOT / "var").absolute()


def _record() -> Path:
    return clone_folder() / "running.json"


def _locked(file: IO[str], seconds: float = 0) -> bool:
    """Whether the lock of the clone could be had within so long."""
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
        else:
            return True


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if value == "0" and name == "METRICS_PORT":
        return 0  # nobody wants to see them
    is_number = value.isascii() and value.isdecimal() and len(value) < 6
    if not is_number or not 0 < int(value) <= HIGHEST_PORT:
        raise LocalError(f"{name} is {value[:40]!r}: a port is a number from 1 to {HIGHEST_PORT}")
    return int(value)


def _following(environment: Mapping[str, str], name: str, http_port: int, distance: int) -> int:
    port = http_port + distance
    if port > HIGHEST_PORT and not environment.get(name):
        highest = HIGHEST_PORT - max(FOLLOWING.values())
        raise LocalError(
            f"HTTP_PORT is {http_port}: {name} follows it at {port}, which is no port; {highest} is"
            f" the highest, or set {name}"
        )
    return _port(environment, name, port)
