"""The shop as its users run it: `shop run` with its six processes, on the servers of the tests."""

import contextlib
import os
import signal
import subprocess
import sys
import types
import uuid

import eventlet
import psutil
import pytest
import requests
import sqlalchemy as sa
from nameko.standalone.rpc import ClusterRpcProxy

from chassis import config as configuration
from shop.local.server import free_ports
from shop.packages import DATABASE_PACKAGES
from tests.support import eventually


@pytest.fixture(scope="module")
def vhost(new_vhost):
    """A vhost that no other test reads from."""
    with new_vhost("chaos") as vhost:
        yield vhost


@pytest.fixture(scope="module")
def shop(request, servers, vhost, tmp_path_factory):
    """A running shop: `.url`, `.pid_of(package)`, `.outbox`, `.rpc()`, `.log`, `.environment`,
    `.config`; with as many processes as the test's module says in `SCALE`."""
    var = tmp_path_factory.mktemp("shop")
    prefix = f"chaos{os.getpid()}"
    server = sa.make_url(servers.database_url)
    port = str(*free_ports(1))
    environment = os.environ | {
        "SHOP_VAR": str(var),
        "HTTP_PORT": port,
        "METRICS_PORT": "0",
        "AMQP_URI": vhost.uri,
        "DATABASE_URL": server.set(database=prefix).render_as_string(hide_password=False),
        "MAIL_OUTBOX": str(var / "outbox"),
        "LOG_FORMAT": "json",
        "ORDER_MAX_OPEN": "10000",  # a few buyers place all orders
        "SCALE": getattr(request.module, "SCALE", ""),
    }
    log = var / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", "from shop.cli import main; main()", "run"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: process.poll() is not None or "ready: " in log.read_text(), timeout=60)
    assert process.poll() is None, log.read_text()
    yield types.SimpleNamespace(
        url=url,
        log=log,
        environment=environment,
        config=configuration.load()
        | {name: environment[name] for name in ("AMQP_URI", "DATABASE_URL")}
        | {"DATABASES": {}},
        outbox=var / "outbox",
        pid_of=lambda package: _pid(process.pid, package),
        rpc=lambda: ClusterRpcProxy({"AMQP_URI": vhost.uri}, timeout=20),
    )
    process.send_signal(signal.SIGTERM)
    eventually(lambda: process.poll() is not None, timeout=60)
    _drop_databases(server, prefix)


@pytest.fixture
def buyers(shop):
    """`buyers(5)`: that many signed-up customers."""
    return lambda count: [Buyer(shop.url) for _ in range(count)]


class Buyer:
    """A client as a careful one is: it repeats what got no answer, under the same key."""

    PATIENCE = 60

    def __init__(self, url: str):
        self.url = url
        account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "long-Enough-9"}
        self.send("POST", "/api/users/signup", account, known=(201, 409))
        login = self.send("POST", "/api/users/login", account)
        self.headers = {"Authorization": f"Bearer {login['access_token']}"}

    headers: dict[str, str] = {}

    def send(self, method, path, body=None, known=(200, 201), key=None):
        """The JSON of the answer; whatever is not there just now is asked again."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        with eventlet.Timeout(self.PATIENCE):
            while True:
                try:
                    answer = requests.request(
                        method, self.url + path, json=body, headers=headers, timeout=20
                    )
                except requests.ConnectionError:
                    eventlet.sleep(0.1)
                    continue
                if answer.status_code in (502, 503, 504):
                    eventlet.sleep(0.1)
                    continue
                assert answer.status_code in known, (method, path, answer.text)
                return answer.json() if answer.content else None

    def order(self, product_id, quantity=1):
        body = {"items": [{"product_id": product_id, "quantity": quantity}]}
        body["shipping_address"] = {
            "line1": "Rue 1", "city": "Lyon", "postal_code": "69001", "country": "FR",
        }  # fmt: skip
        return self.send("POST", "/api/orders", body, key=uuid.uuid4().hex)

    def pay(self, order, token="tok_visa"):
        """Sent again under its key while nobody knows whether the provider has heard of it."""
        body = {"order_id": order["id"], "method": {"type": "card", "token": token}}
        key = uuid.uuid4().hex

        def decided():
            payment = self.send("POST", "/api/payments", body, key=key)
            return payment if payment["status"] != "pending" else None

        return eventually(decided, timeout=self.PATIENCE, every=0.5)

    def cancel(self, order):
        # A repeat of a cancel that got no answer finds the order cancelled.
        return self.send("POST", f"/api/orders/{order['id']}/cancel", {}, known=(200, 409))

    def see(self, order):
        return self.send("GET", f"/api/orders/{order['id']}")

    def mails(self):
        page = self.send("GET", "/api/notifications?limit=100")
        return [item["subject"] for item in page["items"] if item["channel"] == "email"]


def _pid(supervisor_of, package):
    for process in psutil.Process(supervisor_of).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may have ended just now
            words = process.cmdline()
            if "shop.local.service" in words and package in words:
                return process.pid
    return None


def _drop_databases(server, prefix):
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for package in DATABASE_PACKAGES:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {prefix}_{package} WITH (FORCE)"))
    admin.dispose()
