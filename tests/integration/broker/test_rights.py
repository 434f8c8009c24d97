"""Each process has a user of its own, who can do what its services do and no more."""

import types
import uuid

import pika
import pytest
import requests
from nameko.standalone.rpc import ClusterRpcProxy
from pika.exceptions import ChannelClosedByBroker

from chassis.broker import topology
from chassis.broker.declarations import declare
from products.service import InventoryService
from shop.health import ask
from shop.packages import SERVICE_PACKAGES, load_services
from shop.provision.broker import provision
from tests.e2e.shop import running
from tests.support import eventually

PASSWORDS = {package: f"{package}-password" for package in SERVICE_PACKAGES}
SOMEBODY = str(uuid.uuid4())
HANDLER = "on_order_cancelled"
QUEUE = topology.queue_of("orders", "order_cancelled", "inventory", HANDLER)


@pytest.fixture(scope="module")
def provisioned(node):
    """A vhost as `shop provision` and `shop migrate` leave it; `.uri` is the administrator's."""
    provision(node.api, "shop", PASSWORDS, lambda line: None)
    uri = f"{node.uri}shop"
    declare({"AMQP_URI": uri}, load_services())
    return types.SimpleNamespace(
        uri=uri, uri_of=lambda package: uri_for(uri, package), api=f"{node.api}/api"
    )


def uri_for(uri, package):
    return uri.replace("guest:guest", f"{package}:{PASSWORDS[package]}")


@pytest.fixture(scope="module")
def shop(provisioned, databases, tmp_path_factory):
    """Every service with the user of its package."""
    outbox = tmp_path_factory.mktemp("outbox")
    with running(provisioned, databases, outbox, uri_of=provisioned.uri_of) as shop:
        yield shop


def test_such_a_shop_sells(shop):
    """The way of an order, from sign-up to a mail."""
    buyer, lamp = shop.customer(), shop.product(stock=3)
    order = shop.order(buyer, lamp)
    shop.pay(buyer, order)
    eventually(lambda: len(buyer.get("/api/notifications")["items"]) >= 3)
    assert shop.nobody.get("/readyz")["status"] == "ready"


def test_a_failed_event_comes_again_and_is_parked(shop, provisioned, monkeypatch):
    """Retries and dead letters go their ways without the default exchange, which would lead to
    every queue; an operator puts the letter back."""
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1,))
    tries = []

    def fail(self, event):
        tries.append(event.id)
        raise KeyError("broken")

    monkeypatch.setattr(InventoryService, HANDLER, fail)
    buyer, lamp = shop.customer(), shop.product(stock=3)
    order = shop.order(buyer, lamp)
    buyer.post(f"/api/orders/{order['id']}/cancel", {})
    box = topology.dead_letters_of("inventory")
    eventually(lambda: depth(provisioned, box) == 1)
    assert len(tries) == 2


def depth(provisioned, queue):
    with pika.BlockingConnection(pika.URLParameters(provisioned.uri)) as connection:
        return connection.channel().queue_declare(queue, passive=True).method.message_count


def test_a_container_asks_itself(shop, provisioned):
    """`shop health` with a service's own user hears of its own services, and of no others."""
    for service in ("carts", "orders"):
        assert ask(provisioned.uri_of("orders"), service) == "ok"
    assert ask(provisioned.uri_of("orders"), "payments") == "no answer"
    assert ask(provisioned.uri, "payments") == "ok"


def test_operators_with_stock_clients_are_answered(shop, provisioned):
    """`ClusterRpcProxy`, which is what `nameko shell` offers, as the administrator."""
    with ClusterRpcProxy({"AMQP_URI": provisioned.uri}, timeout=5) as rpc:
        assert rpc.orders.health()["status"] == "ok"


def test_nobody_needs_what_is_not_granted(shop, provisioned):
    """Every user has the three patterns and its topics; none is a user of the management API."""
    for package in SERVICE_PACKAGES:
        (rights,) = requests.get(
            f"{provisioned.api}/users/{package}/permissions", timeout=10
        ).json()
        assert rights["vhost"] == "shop"
        assert ".*" not in (rights["configure"], rights["write"], rights["read"])
        page = provisioned.api.replace("guest:guest", f"{package}:{PASSWORDS[package]}")
        assert requests.get(f"{page}/overview", timeout=10).status_code == 401


REFUSED = {
    "take calls of another": lambda c: c.basic_get("rpc-users"),
    "consume calls of another": lambda c: c.basic_consume("rpc-users", print),
    "read events of another": lambda c: c.basic_get(
        "evt-users-user_registered--notifications.announce"
    ),
    "read dead letters of another": lambda c: c.basic_get("users.dead-letters"),
    "read its own dead letters": lambda c: c.basic_get("orders.dead-letters"),
    "purge a queue of another": lambda c: c.queue_purge("rpc-users"),
    "purge its own dead letters": lambda c: c.queue_purge("orders.dead-letters"),
    "delete a queue of another": lambda c: c.queue_delete("rpc-users"),
    "delete its own event queue": lambda c: c.queue_delete(
        "evt-payments-payment_succeeded--orders.on_payment_succeeded"
    ),
    "delete the exchange of calls": lambda c: c.exchange_delete("nameko-rpc"),
    "delete its own exchange": lambda c: c.exchange_delete("orders.events"),
    "declare a queue of another": lambda c: c.queue_declare("evt-a-b--users.c", durable=True),
    "declare any queue": lambda c: c.queue_declare("mine", exclusive=True),
    "declare any exchange": lambda c: c.exchange_declare("mine"),
    "write to a queue by its name": lambda c: c.basic_publish("", "users.dead-letters", b"x"),
    "park in the name of another": lambda c: c.basic_publish("users.dead-letters", "", b"x"),
    "tell events of another": lambda c: c.basic_publish("users.events", "user_registered", b"x"),
    "call a service it does not use": lambda c: c.basic_publish(
        "nameko-rpc", "notifications.list", b"x"
    ),
    "have another's queue fed by a retry": lambda c: c.basic_publish(
        "retry-after.1s", "rpc-users", b"x"
    ),
    "have another's event queue fed by a retry": lambda c: c.basic_publish(
        "retry-after.1s", "evt-users-user_registered--notifications.announce", b"x"
    ),
    "answer in the name of another": lambda c: c.basic_publish(
        "nameko-rpc", topology.reply_key("gateway", SOMEBODY, "users"), b"x"
    ),
    "hear calls to another": lambda c: bind(c, "nameko-rpc", "users.*"),
    "hear all calls": lambda c: bind(c, "nameko-rpc", "#"),
    "hear replies to another": lambda c: bind(
        c, "nameko-rpc", topology.reply_key("gateway", SOMEBODY, "*")
    ),
    "hear events it has no handler for": lambda c: bind(c, "users.events", "user_registered"),
    "hear more of a source it knows": lambda c: bind(c, "notifications.events", "feed_grew"),
    "keep what another's queue gives up": lambda c: c.queue_declare(
        topology.reply_queue_of("orders", SOMEBODY),
        exclusive=True,
        arguments={"x-dead-letter-exchange": "users.events"},
    ),
}


def bind(channel, exchange, routing_key):
    queue = topology.reply_queue_of("orders", SOMEBODY)
    channel.queue_declare(queue, exclusive=True)
    channel.queue_bind(queue, exchange, routing_key)


@pytest.mark.parametrize("what", REFUSED)
def test_a_user_can_not(provisioned, what):
    """The user of `orders` is refused."""
    uri = provisioned.uri_of("orders")
    with pika.BlockingConnection(pika.URLParameters(uri)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            REFUSED[what](channel)


def test_replies_of_a_process_are_its_own(shop, provisioned):
    """The queue of replies is its connection's: not even its own user can read it elsewhere."""
    queues = requests.get(f"{provisioned.api}/queues/shop?columns=name", timeout=10).json()
    (replies,) = [q["name"] for q in queues if q["name"].startswith("rpc.reply-carts")]
    for user in ("orders", "gateway"):
        uri = provisioned.uri_of(user)
        with pika.BlockingConnection(pika.URLParameters(uri)) as connection:
            with pytest.raises(ChannelClosedByBroker, match=r"RESOURCE_LOCKED|ACCESS_REFUSED"):
                connection.channel().basic_get(replies)


def test_provisioning_again_changes_what_has_changed(node, provisioned):
    """A new password holds, the old one does not, and what an operator set in a policy stays."""
    policy = f"{provisioned.api}/policies/shop/shop-events"
    there = requests.get(policy, timeout=10).json()
    kept = {"pattern": there["pattern"], "definition": {"max-length": 500_000}}
    requests.put(policy, json=kept, timeout=10).raise_for_status()
    said = []
    provision(node.api, "shop", PASSWORDS | {"users": "another"}, said.append)
    definition = requests.get(policy, timeout=10).json()["definition"]
    assert definition == {"max-length": 500_000, "delivery-limit": 20}
    assert any("max-length is 500000, not 100000" in line for line in said)
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(provisioned.uri_of("users")))
    provision(node.api, "shop", PASSWORDS, said.append)
    pika.BlockingConnection(pika.URLParameters(provisioned.uri_of("users"))).close()


def test_bounds_hold(provisioned):
    """Queues that last have the policy that is meant for them, and are of the kind they have to
    be."""
    kinds = {"rpc-": "shop-calls", "evt-": "shop-events", "retry.": "shop-retries"}

    def policies():
        """Those in force, by the beginning or the end of the queue's name."""
        found = {}
        for queue in requests.get(f"{provisioned.api}/queues/shop", timeout=10).json():
            name = queue["name"]
            for start in filter(name.startswith, kinds):
                found.setdefault(start, set()).add(queue.get("policy"))
                kind = "classic" if start == "rpc-" else "quorum"
                assert queue["arguments"]["x-queue-type"] == kind
            if name.endswith(".dead-letters"):
                found.setdefault(".dead-letters", set()).add(queue.get("policy"))
        return found

    meant = kinds | {".dead-letters": "shop-dead-letters"}
    eventually(lambda: policies() == {part: {policy} for part, policy in meant.items()})
    for policy in requests.get(f"{provisioned.api}/policies/shop", timeout=10).json():
        assert "max-length" in policy["definition"]
