"""The whole shop in this process, behind its real door; what tests do with it."""

import contextlib
import email
import email.policy
import pathlib

import eventlet
from nameko.containers import get_container_cls
from nameko.standalone.rpc import ClusterRpcProxy
from nameko.testing.utils import find_free_port

from chassis import config as configuration
from gateway.service import GatewayService
from shop.packages import DATABASE_PACKAGES, load_services, package_of
from tests.conftest import empty
from tests.e2e.client import ADDRESS, PASSWORD, Client, new_email
from tests.support import ONE_CLIENT, eventually, hurry

#: The gateway last: it asks all others.
SERVICES = sorted(load_services(), key=lambda service: service is GatewayService)


class Shop:
    """People and goods for a test; everybody is new, so that tests need not clean up."""

    def __init__(self, config):
        self.config = config
        self.url = f"http://{config['WEB_SERVER_ADDRESS']}"
        self.outbox = pathlib.Path(config["notifications"]["outbox"])
        self.nobody = Client(self.url)
        self.containers = []
        self._admin = None

    def stranger(self, **profile):
        """Somebody who has just signed up and logged in, and not confirmed the address."""
        account = {"email": new_email(), "password": PASSWORD} | profile
        user = self.nobody.post("/api/users/signup", account, 201)
        return self._logged_in(user)

    def customer(self, **profile):
        """Somebody with a confirmed address who has logged in. How that is done by mail is a test
        of its own; an admin's word is faster."""
        client = self.stranger(**profile)
        with ClusterRpcProxy(self.config) as rpc:
            rpc.users.mark_email_verified(user_id=client.user_id, actor="system")
        return client

    def mails(self, address):
        """The mails to an address: subject and text, the oldest first."""
        paths = sorted(self.outbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        read = (
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in paths
        )
        return [(mail["Subject"], mail.get_content()) for mail in read if mail["To"] == address]

    def token(self, address, subject):
        """The token in the newest mail to an address with that subject."""

        def find():
            found = [text.split()[-1] for about, text in self.mails(address) if about == subject]
            return found[-1] if found else None

        return eventually(find)

    def employee(self, role):
        """Somebody with a role, made over RPC as the operators' command does it."""
        with ClusterRpcProxy(self.config) as rpc:
            user = rpc.users.create(
                email=new_email(),
                password=PASSWORD,
                role=role,
                email_verified=True,
                actor="system",
            )
        return self._logged_in(user)

    def _logged_in(self, user):
        client = Client(self.url)
        client.log_in(user["email"])
        client.user_id = user["id"]
        return client

    @property
    def admin(self):
        """One admin for all tests."""
        self._admin = self._admin or self.employee("admin")
        return self._admin

    def product(self, **fields):
        """A product that is in stock."""
        return self.admin.post(
            "/api/products", {"name": "Chair", "price": "10.00", "stock": 20} | fields, 201
        )

    def order(self, buyer, product, quantity=1, **fields):
        """An order of one product."""
        items = [{"product_id": product["id"], "quantity": quantity}]
        body = {"items": items, "shipping_address": ADDRESS} | fields
        return buyer.post("/api/orders", body, 201)

    def pay(self, buyer, order, token="tok_visa", expect=201):
        """A payment for an order."""
        method = {"type": "card", "token": token}
        return buyer.post("/api/payments", {"order_id": order["id"], "method": method}, expect)


@contextlib.contextmanager
def running(vhost, databases, outbox, uri_of=None, **settings):
    """A `Shop` of all services, for as long as that lasts; `settings` are sections of the
    configuration beyond the usual. `uri_of(package)` is the broker as one process may use it."""
    loaded = configuration.load()
    web = loaded["web"] | ONE_CLIENT | settings.pop("web", {})
    config = loaded | {
        "AMQP_URI": vhost.uri,
        "DATABASE_URL": databases,
        "DATABASES": {},
        "WEB_SERVER_ADDRESS": f"127.0.0.1:{find_free_port()}",
        "notifications": {"outbox": str(outbox)},
        "web": web,
        "payments": {"provider": "simulator", "call_seconds": 1},
        **settings,
    }
    containers = []
    for service in SERVICES:
        package = package_of(service)
        own = {"AMQP_URI": uri_of(package)} if uri_of else {}
        containers.append(get_container_cls(config)(service, config | own))
        hurry(containers[-1])
    for starting in [eventlet.spawn(container.start) for container in containers]:
        starting.wait()
    shop = Shop(config)
    shop.containers = containers
    yield shop
    for stopping in [eventlet.spawn(container.kill) for container in containers]:
        stopping.wait()


@contextlib.contextmanager
def another_door(shop, **settings):
    """One more gateway of the shop: a `Client` of it, with its container as `.gateway`."""
    config = shop.config | {"WEB_SERVER_ADDRESS": f"127.0.0.1:{find_free_port()}"} | settings
    gateway = get_container_cls(config)(GatewayService, config)
    gateway.start()
    door = Client(f"http://{config['WEB_SERVER_ADDRESS']}")
    door.gateway = gateway
    yield door
    gateway.kill()


def empty_books(databases):
    """What other tests have left, methods of shipping say, is in no database any more."""
    for package in DATABASE_PACKAGES:
        empty(configuration.database_url({"DATABASE_URL": databases}, package))


@contextlib.contextmanager
def running_anew(name, new_vhost, databases, outbox, **settings):
    """As `running`, with empty books and queues: what other tests have left is in none of them."""
    empty_books(databases)
    with new_vhost(name) as vhost, running(vhost, databases, outbox, **settings) as shop:
        yield shop
