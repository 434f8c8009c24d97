"""What RabbitMQ is told of who may do what, and what is made of its refusals."""

import re
import types
import uuid

import pytest
from amqp.exceptions import AccessRefused, NotFound

from chassis.broker import topology
from chassis.broker.declarations import Declarations
from chassis.broker.manifest import Manifest, manifest_of
from chassis.broker.rights import rights_of
from chassis.events import EventOutbox, event_handler
from chassis.rpc import RpcProxy
from chassis.service import Service
from tests.integration.chassis.world import Said

PROCESS = str(uuid.uuid4())
SHIPPING = Manifest(
    "shipping", (("orders", "paid", "on_paid"),), frozenset({"maps"}), frozenset(), True
)


def test_a_class_tells_what_it_uses():
    """Handlers, proxies, broadcasts and outboxes are found, also those of its bases."""

    class Shipping(Service):
        name = "shipping"
        maps = RpcProxy("maps")
        events = EventOutbox({})

        @event_handler("orders", "paid", Said)
        def on_paid(self, event):
            """Ship it."""

    assert manifest_of(Shipping) == SHIPPING


@pytest.mark.parametrize(
    ("right", "name", "is_given"),
    [
        ("configure", topology.reply_queue_of("shipping", PROCESS), True),
        ("configure", topology.reply_queue_of("shipping-2", PROCESS), False),
        ("configure", topology.reply_queue_of("billing", PROCESS), False),
        ("configure", "rpc-shipping", False),
        ("configure", "shipping.dead-letters", False),
        ("write", "shipping.dead-letters", True),
        ("write", "shippingxdead-letters", False),
        ("write", "shipping.events", True),
        ("write", "orders.events", False),
        ("write", "amq.default", False),
        ("write", "retry-after.30s", True),
        ("write", "retry.30s", False),
        ("read", "evt-orders-paid--shipping.on_paid", True),
        ("read", "evt-orders-paid--billing.on_paid", False),
        ("read", "shipping.dead-letters", False),
        ("read", "orders.events", True),
        ("read", "users.events", False),
    ],
)
def test_names(right, name, is_given):
    """Of queues and exchanges, as whole names."""
    assert bool(re.search(getattr(rights_of([SHIPPING]), right), name)) is is_given


@pytest.mark.parametrize(
    ("exchange", "right", "key", "is_given"),
    [
        ("nameko-rpc", 0, "maps.route", True),
        ("nameko-rpc", 0, "maps.route.more", False),
        ("nameko-rpc", 0, "users.delete", False),
        ("nameko-rpc", 0, "shipping.health", True),
        ("nameko-rpc", 0, "shipping.ship", False),
        ("nameko-rpc", 0, topology.reply_key("billing", PROCESS, "shipping"), True),
        ("nameko-rpc", 0, topology.reply_key("billing", PROCESS, "maps"), False),
        ("nameko-rpc", 0, PROCESS, True),
        ("nameko-rpc", 1, "shipping.*", True),
        ("nameko-rpc", 1, "#", False),
        ("nameko-rpc", 1, topology.reply_key("shipping", PROCESS, "*"), True),
        ("nameko-rpc", 1, topology.reply_key("billing", PROCESS, "*"), False),
        ("nameko-rpc", 1, PROCESS, False),
        ("retry-after.1s", 0, "evt-orders-paid--shipping.on_paid", True),
        ("retry-after.1s", 0, "evt-orders-paid--billing.on_paid", False),
        ("retry-after.1s", 0, "rpc-users", False),
        ("orders.events", 1, "paid", True),
        ("orders.events", 1, "placed", False),
        ("orders.events", 0, "paid", False),
        ("shipping.events", 0, "sent", True),
    ],
)
def test_routing_keys(exchange, right, key, is_given):
    """To publish by (0) and to bind with (1)."""
    assert bool(re.search(rights_of([SHIPPING]).topics[exchange][right], key)) is is_given


@pytest.mark.parametrize(
    ("address", "may"),
    [
        (PROCESS, True),
        (topology.reply_key("billing", PROCESS, "shipping"), True),
        (topology.reply_key("billing", PROCESS, "maps"), False),
        (topology.reply_key("billing", PROCESS, "*"), False),
        ("users.delete", False),
        ("amq.gen-JzTY20BRgKO-HjmUJj0wLg", False),
        ("", False),
    ],
)
def test_where_a_service_may_reply(address, may):
    """The same as its right says, for a refusal would close the connection."""
    assert topology.may_reply_to(address, "shipping") is may
    write, _ = rights_of([SHIPPING]).topics["nameko-rpc"]
    assert may <= bool(re.search(write, address))


class Channel:
    """Where asking for what is there ends with `refusal`; `made` is what was declared."""

    def __init__(self, refusal, may_declare=True):
        self.connection = types.SimpleNamespace(channel=lambda: self)
        self.made = []
        self._refusal, self._may_declare = refusal, may_declare

    def exchange_declare(self, name, kind, passive=False, **kwargs):
        if passive:
            raise self._refusal
        if not self._may_declare:
            raise AccessRefused
        self.made.append(name)


def test_what_is_missing_is_made():
    """Once."""
    channel = Channel(NotFound())
    declarations = Declarations(channel)
    declarations.events_of("orders")
    declarations.events_of("orders")
    assert channel.made == ["orders.events"]


def test_who_may_not_make_what_is_missing_says_what_it_is():
    with pytest.raises(
        NotFound, match=r"exchange orders\.events is not there, and this user may not"
    ):
        Declarations(Channel(NotFound(), may_declare=False)).events_of("orders")


def test_who_may_not_ask_takes_it_for_there():
    """RabbitMQ since 4.2.6 answers only those whom a queue concerns."""
    channel = Channel(AccessRefused())
    Declarations(channel).events_of("orders")
    assert channel.made == []
