"""What an order, a refund and a sign-up cost in all, counted: commits, statements and messages.

Each is counted twice: ten at once by ten people, of which each has its tenth, as in a shop that is
busy; and one alone. Time says little on a machine that others use, too; these say the same on all
of them. A change that costs more fails here, with what was asked of the databases and the broker;
one that saves lowers `ALLOWED`. `pytest -s tests/cost` shows the table.
"""

import sys
import uuid
from collections import Counter

import eventlet
import pytest
import sqlalchemy as sa
from nameko.testing.utils import find_free_port

from chassis.events import relay
from chassis.timers import SteadyTimer
from gateway.settings import SessionSettings
from tests.cost.meter import Meter
from tests.e2e.client import ADDRESS, PASSWORD, new_email
from tests.e2e.shop import running
from tests.support import FEW_SECONDS, run_timer

SECRET = "whsec_cost"
LINES, PEOPLE = 3, 10

#: The most that each may cost: of ten at once, alone. What timers cost that find nothing to do is
#: not counted. Which events fall into one batch, and whether `pay` or its event is first, makes a
#: difference of a few.
ALLOWED = {
    "order": {"commits": (15, 22), "statements": (30, 37), "messages": (15, 17)},
    "cancel": {"commits": (15, 22), "statements": (45, 52), "messages": (9, 13)},
    "sign-up": {"commits": (6, 9), "statements": (18, 21), "messages": (7, 9)},
}


class Measured:
    """What was counted, and what it was."""

    def __init__(self, statements, messages):
        self.statements, self.messages = statements, messages
        self.counts = {
            "commits": sum(one.ends for one in statements),
            "statements": len(statements),
            "messages": len(messages),
        }

    def beyond(self, idle, people=1):
        """What one of so many people has cost, beyond what a round of timers does."""
        return {name: (count - idle.counts[name]) / people for name, count in self.counts.items()}

    def __str__(self):
        asked = [f"{one.package:>13} {one.sql[:110]!r}{' ◄' * one.ends}" for one in self.statements]
        return "\n".join([*asked, f"commits: {self.commits}", *self.messages])

    @property
    def commits(self):
        return dict(Counter(one.package for one in self.statements if one.ends))


@pytest.fixture
def metered(by_hand, monkeypatch, servers, new_vhost, databases, tmp_path):
    """A shop that does nothing unless asked, and its meter."""
    monkeypatch.setattr(relay, "SWEEP", 3600)
    # Once for what somebody does, however slow the machine; a shop has to ask more often.
    monkeypatch.setattr(SessionSettings._declared_fields["check_seconds"], "validators", [])
    server = sa.make_url(databases)
    with new_vhost("cost") as vhost:
        meter = Meter((server.host, server.port), vhost.uri, servers.amqp_api)
        through = server.set(host="127.0.0.1", port=meter.port)
        address = f"127.0.0.1:{find_free_port()}"
        payments = {
            "provider": "simulator",
            "simulator": {
                "webhook_url": f"http://{address}/api/payments/webhooks/simulator",
                "webhook_secrets": SECRET,
            },
        }
        with running(
            vhost,
            through.render_as_string(hide_password=False),
            tmp_path,
            WEB_SERVER_ADDRESS=address,
            payments=payments,
            sessions={"check_seconds": 3600},
        ) as shop:
            yield shop, meter
        meter.close()


def rounds(shop, meter):
    """Have all timers of a few seconds come round twice: what one begins another may end."""
    for _ in range(2):
        for container in shop.containers:
            for entrypoint in container.entrypoints:
                if isinstance(entrypoint, SteadyTimer) and entrypoint.interval <= FEW_SECONDS:
                    run_timer(container, entrypoint.method_name)
        yield meter.take()


def cost(shop, meter, action, people=()):
    """What it costs that these people do it all at once, with all that follows of it."""
    for doing in [eventlet.spawn(action, person) for person in people]:
        doing.wait()
    parts = [meter.take(), *rounds(shop, meter)]
    return Measured([s for part in parts for s in part[0]], [m for part in parts for m in part[1]])


class Actions:
    """What people do, by the names in `ALLOWED`."""

    def __init__(self, shop):
        self._shop = shop
        self._items = [
            {"product_id": shop.product(stock=1000)["id"], "quantity": 1} for _ in range(LINES)
        ]
        self._open = {}

    def order(self, buyer):
        """Place an order, and pay it."""
        order = {"items": self._items, "shipping_address": ADDRESS}
        placed = self._keyed(buyer, "/api/orders", order)
        method = {"type": "card", "token": "tok_visa"}
        self._keyed(buyer, "/api/payments", {"order_id": placed["id"], "method": method})
        self._open.setdefault(buyer, []).append(placed["id"])

    def cancel(self, buyer):
        """Cancel the last one, which was paid."""
        buyer.post(f"/api/orders/{self._open[buyer].pop()}/cancel", {})

    def sign_up(self, _):
        """Be somebody new."""
        account = {"email": new_email(), "password": PASSWORD}
        self._shop.nobody.post("/api/users/signup", account, 201)

    def _keyed(self, buyer, path, body):
        return buyer.post(path, body, 201, headers={"Idempotency-Key": uuid.uuid4().hex})


@pytest.mark.timeout(300)
def test_what_it_costs(metered):
    """Each stays below what it is allowed; the first of all is not counted, for it opens
    connections."""
    shop, meter = metered
    people = [shop.customer() for _ in range(PEOPLE)]
    actions = Actions(shop)
    named = {"order": actions.order, "cancel": actions.cancel, "sign-up": actions.sign_up}
    cost(shop, meter, lambda person: [action(person) for action in named.values()], people)
    idle = cost(shop, meter, None)
    lines, faults = [], []
    for name, action in named.items():
        together = cost(shop, meter, action, people)
        alone = cost(shop, meter, action, people[:1])
        both = together.beyond(idle, PEOPLE), alone.beyond(idle)
        for what, most in ALLOWED[name].items():
            counted = tuple(one[what] for one in both)
            lines.append(f"{name:<8} {what:<10} {counted} of {most}")
            if any(count > bound for count, bound in zip(counted, most, strict=True)):
                faults.append(f"{lines[-1]}; alone:\n{alone}\nat once: {together.commits}")
    sys.stdout.write("\n".join(["", *lines, ""]))
    for buyer in people:
        paid = {order["payment_status"] for order in buyer.get("/api/orders")["items"]}
        assert paid == {"refunded"}
    assert not faults, "\n".join(faults)
