"""What payment providers tell over HTTP, and buyers who come back from their pages."""

import json

import pytest
import requests

from payments.providers import webhook_signature
from shop.verify import Books
from tests.e2e.shop import running
from tests.support import eventually

SECRET = "whsec_of_this_test"


@pytest.fixture(scope="module")
def shop(vhost, databases, tmp_path_factory):
    """A shop whose simulator signs its webhooks."""
    payments = {
        "call_seconds": 1,
        "provider": "simulator",
        "simulator": {"webhook_secrets": SECRET},
    }
    with running(vhost, databases, tmp_path_factory.mktemp("outbox"), payments=payments) as shop:
        yield shop


def post(shop, body, signature=None, provider="simulator", media_type="application/json"):
    headers = {"Content-Type": media_type}
    if signature is not None:
        headers["Stripe-Signature"] = signature
    url = f"{shop.url}/api/payments/webhooks/{provider}"
    return requests.post(url, data=body, headers=headers, timeout=10)


def event(payment, **changes):
    """What the simulator would send of a payment; spaces, order and letters are its own."""
    key = f"payment-{payment['id']}"
    thing = {"object": "charge", "id": "sim_x", "metadata": {"key": key}, "note": "Zoë "}
    told = {"type": "charge.succeeded", "id": f"evt_{key}", "data": {"object": thing}}
    return json.dumps(told | changes, ensure_ascii=False, indent=3)


@pytest.fixture
def payment(shop):
    """A payment that has been made."""
    buyer = shop.customer()
    return shop.pay(buyer, shop.order(buyer, shop.product()))


def test_what_is_signed_is_taken(shop, payment):
    """The signature is over the body as it was sent, byte for byte; a repeat is taken as well."""
    body = event(payment)
    for _ in range(2):
        answer = post(shop, body.encode(), webhook_signature.sign(body, SECRET))
        assert (answer.status_code, answer.content) == (204, b"")
    rows = "SELECT outcome FROM provider_notices WHERE event_id = :id"
    with Books(shop.config) as books:
        told = f"evt_payment-{payment['id']}"
        (row,) = eventually(lambda: [r for r in books.rows("payments", rows, id=told) if r.outcome])
    assert row.outcome == "booked"


@pytest.mark.parametrize(
    ("signature", "changed"),
    [
        (lambda body: None, ""),
        (lambda body: "", ""),
        (lambda body: "t=1,v1=0", ""),
        (lambda body: webhook_signature.sign(body, "whsec_guessed"), ""),
        (lambda body: webhook_signature.sign(body, SECRET), " "),
    ],
    ids=["none", "empty", "nonsense", "another secret", "another body"],
)
def test_what_is_not_signed_is_refused(shop, payment, signature, changed):
    """With 400, and no word about what is wrong with it."""
    body = event(payment)
    answer = post(shop, (body + changed).encode(), signature(body))
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "notice_refused"
    assert problem["detail"] == "The signature of this webhook does not hold"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b'{"id": "x"}', 422),
        (b"{" * 100_000, 400),
        (b'{"id": "x", "type": "y", "pad": "' + b"x" * 300_000 + b'"}', 413),
    ],
    ids=["nothing", "no text", "no object", "no type", "deep", "big"],
)
def test_garbage_is_refused_and_harms_nothing(shop, payment, body, status):
    """Before anybody looks at a signature; the next one is taken."""
    assert post(shop, body, "t=1,v1=0").status_code == status
    good = event(payment, id="evt_after_garbage")
    assert post(shop, good.encode(), webhook_signature.sign(good, SECRET)).status_code == 204


def test_only_providers_have_webhooks(shop):
    """An address of nobody's, and one of a provider that is not set up here."""
    assert post(shop, b'{"id": "x", "type": "y"}', "x", "nobody").status_code == 422
    assert post(shop, b'{"id": "x", "type": "y"}', "x", "stripe").status_code == 404


@pytest.mark.parametrize("page", ["success", "fail"])
def test_a_reference_that_means_nothing(shop, page):
    """Whoever comes back with one learns nothing, whatever else Stripe adds to the address."""
    address = f"/api/payments/stripe/{page}"
    shop.nobody.get(f"{address}?session_id=cs_test_a1b2c3d4e5", 404)
    shop.nobody.get(address, 422)
    shop.nobody.get(f"{address}?session_id=x", 422)
    added = "payment_intent_client_secret=pi_a1_secret_b2&redirect_status=succeeded"
    shop.nobody.get(f"{address}?payment_intent=pi_a1b2c3d4&{added}", 404)
    shop.nobody.get(f"{address}?session_id=cs_test_a1b2c3&payment_intent=pi_a1b2c3d4", 422)
