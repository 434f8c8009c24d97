"""Money that goes back by hand, at the provider's site: its order hears of it as of any refund."""

import json
import uuid

import pytest
import requests
import sqlalchemy as sa

from chassis import config as configuration
from payments.providers import webhook_signature
from shop.verify import INVARIANTS, Books
from tests.e2e.shop import running_anew
from tests.support import eventually

SECRET = "whsec_of_this_test"


@pytest.fixture(scope="module")
def shop(new_vhost, databases, tmp_path_factory):
    """A shop with new books, whose simulator signs its webhooks."""
    payments = {
        "call_seconds": 1,
        "provider": "simulator",
        "simulator": {"webhook_secrets": SECRET},
    }
    outbox = tmp_path_factory.mktemp("outbox")
    with running_anew("by-hand", new_vhost, databases, outbox, payments=payments) as shop:
        yield shop


@pytest.fixture
def give_back(shop):
    """`give_back(payment, 5)`: somebody does so at the provider, which tells of it."""
    engine = sa.create_engine(configuration.database_url(shop.config, "payments"))

    def give(payment, amount):
        key = f"payment-{payment['id']}"
        with engine.begin() as connection:
            charge = connection.scalar(
                sa.text(
                    "UPDATE simulator_charges SET refunded = refunded + :amount WHERE key = :key"
                    " RETURNING reference"
                ),
                {"amount": amount, "key": key},
            )
            connection.execute(
                sa.text("INSERT INTO simulator_refunds VALUES (:id, :id, :charge, :amount, now())"),
                {"id": f"simre_{uuid.uuid4().hex}", "charge": charge, "amount": amount},
            )
        thing = {"object": "charge", "id": charge, "metadata": {"key": key}}
        event = {"id": f"evt_{uuid.uuid4().hex}", "type": "charge.refunded"}
        body = json.dumps(event | {"data": {"object": thing}})
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": webhook_signature.sign(body, SECRET),
        }
        url = f"{shop.url}/api/payments/webhooks/simulator"
        assert requests.post(url, data=body, headers=headers, timeout=10).status_code == 204

    yield give
    engine.dispose()


def test_the_order_follows(shop, give_back):
    """A part by hand, then the order is cancelled: the rest goes back, no cent more, and the books
    of all services agree."""
    buyer = shop.customer()
    order = shop.order(buyer, shop.product(), quantity=2)
    payment = shop.pay(buyer, order)
    give_back(payment, 5)

    def state():
        return buyer.get(f"/api/orders/{order['id']}")["payment_status"]

    eventually(lambda: state() == "partially_refunded", timeout=30)
    assert buyer.get(f"/api/payments/{payment['id']}")["refunded"] == "5.00"
    buyer.post(f"/api/orders/{order['id']}/cancel", {})
    eventually(lambda: state() == "refunded", timeout=30)
    assert buyer.get(f"/api/payments/{payment['id']}")["refunded"] == "20.00"
    with Books(shop.config) as books:
        eventually(lambda: not [b for each in INVARIANTS for b in each.check(books).violations])


def test_all_of_it(shop, give_back):
    """The order counts as refunded; whether it is shipped is for staff to decide."""
    buyer = shop.customer()
    order = shop.order(buyer, shop.product())
    give_back(shop.pay(buyer, order), 10)
    path = f"/api/orders/{order['id']}"
    eventually(lambda: buyer.get(path)["payment_status"] == "refunded", timeout=30)
    assert buyer.get(path)["status"] == "processing"
