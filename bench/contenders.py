"""Who takes part: this shop, its chassis alone, and the peers; what each is made of."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import install, peers
from shop.local.place import ONE_CLIENT, ROOT
from shop.packages import DATABASE_PACKAGES, SERVICE_PACKAGES

#: Requests a minute: they are counted as ever, and nobody comes so far.
_ENDLESS = "1000000000"
#: Settings of the shop under which nothing but its speed limits it.
_UNLIMITED = ONE_CLIENT | {
    "HTTP_CLIENT_REQUESTS": "200",
    "HTTP_CLIENT_SIGN_INS": "200",
    "HTTP_MAX_SIGN_INS": "200",
    "RATE_LIMIT": _ENDLESS,
    "RATE_LIMIT_WRITES": _ENDLESS,
    "RATE_LIMIT_SIGN_IN": _ENDLESS,
    "RATE_LIMIT_WEBHOOKS": _ENDLESS,
    "ORDER_MAX_OPEN": "1000000",
    "MAILS_PER_HOUR": _ENDLESS,
    "MAILS_PER_DAY": _ENDLESS,
    "ORDER_MAX_UNPAID_UNITS": "1000000",
    "ACCESS_TOKEN_SECONDS": "3600",
    "LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Place:
    """What a contender is given: its own ports (the first is the HTTP port), vhost and databases
    (`dsn("orders")`, or `prefix` for all), and the issuer's public keys."""

    ports: tuple[int, int, int]
    amqp_uri: str
    prefix: str
    dsn: Callable[[str], str]
    token_keys: str
    mails: Path

    @property
    def peers_environment(self) -> dict[str, str]:
        gateway, products, orders = map(str, self.ports)
        return {
            "HTTP_PORT": gateway,
            "PRODUCTS_PORT": products,
            "ORDERS_PORT": orders,
            "AMQP_URI": self.amqp_uri,
            "PRODUCTS_DSN": self.dsn(f"{self.prefix}_products"),
            "ORDERS_DSN": self.dsn(f"{self.prefix}_orders"),
            "TOKEN_KEYS": self.token_keys,
            "TOKEN_ISSUER": "shop",
            "TOKEN_AUDIENCE": "shop-api",
        }

    @property
    def shop_environment(self) -> dict[str, str]:
        return _UNLIMITED | {
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(self.ports[0]),
            "AMQP_URI": self.amqp_uri,
            "DATABASE_URL": self.dsn(self.prefix),
            "MAIL_OUTBOX": str(self.mails),
            "PAYMENT_PROVIDER": "simulator",
            "SIMULATOR_WEBHOOK_URL": (
                f"http://127.0.0.1:{self.ports[0]}/api/payments/webhooks/simulator"
            ),
            "SIMULATOR_WEBHOOK_SECRETS": "whsec_bench",
        }


@dataclass(frozen=True)
class Contender:
    """`commands` gives the command lines by process, to be run in `folder`; `ready` answers 200
    when all its processes are there; `packages` are the databases that it gets copies of; a limit
    does no work, so its answers are not looked at."""

    name: str
    title: str
    commands: Callable[[Mapping[str, str]], Mapping[str, Sequence[str]]]
    environment: Callable[[Place], dict[str, str]]
    folder: Path = ROOT
    ready: str = "/readyz"
    packages: tuple[str, ...] = ("products", "orders")
    needs_tokens: bool = False
    is_limit: bool = False


def _nameko(*modules: str) -> Callable[[Mapping[str, str]], dict[str, list[str]]]:
    start = "from nameko.cli.main import main; main()"
    command = [sys.executable, "-W", "ignore", "-c", start, "run"]
    commands = {module: [*command, module, "--config", "config.yaml"] for module in modules}
    return lambda environment: commands


def _peer(name: str, peer: peers.Peer) -> Contender:
    return Contender(
        name,
        peer.title,
        partial(peer.argvs, str(install.PYTHON)),
        lambda place: place.peers_environment,
        folder=ROOT / peer.folder,
        needs_tokens=True,
    )


SHOP = Contender(
    "shop",
    "this shop",
    _nameko(*(f"{package}.service" for package in SERVICE_PACKAGES)),
    lambda place: place.shop_environment,
    packages=DATABASE_PACKAGES,
)

#: The chassis without the shop: one route, one call.
CHASSIS = Contender(
    "chassis",
    "this shop's chassis",
    _nameko("bench.probe.gateway", "bench.probe.service"),
    lambda place: (
        place.shop_environment | {"MAX_WORKERS": "64"}
    ),  # no `gateway`, and 16 are for probes
    ready="/ping/1",
    packages=(),
)


def bare_answer(size: int) -> Contender:
    """The same answer of so many bytes to everybody, on the shop's web server: a limit."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.limits.wsgi", "--size", str(size)]
    return Contender(
        f"bare_answer_{size}",
        f"limit: bare WSGI answer of {size:,} bytes on eventlet",
        lambda environment: {"answer": command},
        lambda place: {"HTTP_PORT": str(place.ports[0])},
        ready="/",
        packages=(),
        is_limit=True,
    )


PEERS = {name: _peer(name, peer) for name, peer in peers.PEERS.items()}
ALL = {SHOP.name: SHOP, CHASSIS.name: CHASSIS} | PEERS
