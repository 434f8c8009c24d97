"""Webhooks: believed only when signed, and only so far that the provider is asked."""

import json
import time
import types
import uuid

import pytest
from nameko.testing.services import entrypoint_hook
from stripe import WebhookSignature

from chassis.errors import Internal, Malformed, NotFound
from payments.charges import commands as charges
from payments.providers import webhook_signature
from payments.service import PaymentsService
from payments.webhooks import commands as webhooks

NEW, OLD = "whsec_new", "whsec_old"


@pytest.fixture
def service(start, clock):
    """Payments while one secret is being replaced by another."""
    secrets = {"provider": "simulator", "simulator": {"webhook_secrets": f"{NEW},{OLD}"}}
    (container,) = start(PaymentsService, payments=secrets)
    return container


@pytest.fixture
def tell(payments):
    """`tell("charge.succeeded", reference)`: a signed notice about a charge; its id."""

    def tell(kind, reference, *, key="", event_id=None, secret=NEW):
        event = {
            "id": event_id or f"evt_{uuid.uuid4().hex}",
            "type": kind,
            "data": {"object": {"object": "charge", "id": reference, "metadata": {"key": key}}},
        }
        body = json.dumps(event)
        payments.webhook(
            provider="simulator", body=body, signature=webhook_signature.sign(body, secret)
        )
        return event["id"]

    return tell


@pytest.fixture
def outcome(sql, eventually):
    """`outcome(event_id)`: what came of a notice, once it has been looked into."""

    def outcome(event_id):
        def found():
            (row,) = sql("SELECT * FROM provider_notices WHERE event_id = :id", id=event_id)
            return row["outcome"]

        return eventually(found)

    return outcome


@pytest.fixture
def unheard(pay, crash_before, sql):
    """A charge whose answer we never heard, for the process ended: its `.reference`, our `.key`."""
    crash_before(charges, "settle")
    with pytest.raises(Internal):
        pay()
    (charge,) = sql("SELECT reference, key FROM simulator_charges")
    return types.SimpleNamespace(**charge)


@pytest.fixture
def status(payments, order):
    """`status()`: of the order's payment."""

    def status():
        (payment,) = payments.list(
            order_id=order["order_id"], actor={"user_id": order["user_id"], "role": "customer"}
        )["items"]
        return payment["status"]

    return status


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_a_notice_settles_its_charge(unheard, tell, outcome, status, sql, secret):
    """Long before the sweep would ask; both secrets hold while one replaces the other."""
    assert status() == "pending"
    event_id = tell("charge.succeeded", unheard.reference, key=unheard.key, secret=secret)
    assert outcome(event_id) == "booked"
    assert status() == "succeeded"


def test_a_notice_that_comes_often_is_one(pay, tell, outcome, sql, told):
    """Repeats are stored once, and what they tell is booked once."""
    payment = pay()
    (charge,) = sql("SELECT reference FROM simulator_charges")
    reference = charge["reference"]
    for _ in range(3):
        tell("charge.succeeded", reference, event_id="evt_same")
    assert outcome("evt_same") == "booked"
    assert len(sql("SELECT 1 FROM provider_notices")) == 1
    assert [kind for kind, _ in told()] == ["payment_succeeded"]
    assert payment["status"] == "succeeded"


def test_a_late_failure_changes_nothing(pay, tell, outcome, status, sql):
    """What the notice says is not what is booked: the provider is asked, and money stays taken."""
    pay()
    (charge,) = sql("SELECT reference FROM simulator_charges")
    assert outcome(tell("charge.failed", charge["reference"])) == "booked"
    assert status() == "succeeded"


def test_a_refund_made_by_hand_is_booked(pay, tell, outcome, status, sql, told):
    """Somebody gave money back at the provider's own site."""
    pay()
    (charge,) = sql("SELECT reference FROM simulator_charges")
    sql("UPDATE simulator_charges SET refunded = 30")
    sql(
        "INSERT INTO simulator_refunds (key, reference, charge_reference, amount, created_at)"
        " VALUES ('by hand', 'simre_hand', :charge, 30, now())",
        charge=charge["reference"],
    )
    for _ in range(2):
        assert outcome(tell("charge.refunded", charge["reference"])) == "booked"
    assert status() == "partially_refunded"
    refunded = [payload for kind, payload in told() if kind == "payment_refunded"]
    assert [payload["amount"] for payload in refunded] == ["30.00"]


@pytest.mark.parametrize(
    ("kind", "key"),
    [("charge.succeeded", f"payment-{uuid.uuid4()}"), ("x.y", "payment-no-uuid"), ("x.y", "")],
)
def test_what_is_not_ours_is_kept_and_ignored(tell, outcome, kind, key):
    """Charges that we never made, of types that we may not know."""
    assert outcome(tell(kind, "sim_of_somebody_else", key=key)) == "unknown charge"


def _sign(body, secret=NEW, age=0):
    return WebhookSignature.generate_signature_header(body, secret, int(time.time()) - age)


EVENT = json.dumps({"id": "evt_1", "type": "x"})


@pytest.mark.parametrize(
    ("body", "sign", "reason"),
    [
        (EVENT, lambda: None, "unsigned"),
        (EVENT, lambda: "", "unsigned"),
        (EVENT, lambda: "t=1,v1=äöü", "wrong signature"),
        (EVENT, lambda: "t=now,v1=0", "wrong signature"),
        (EVENT, lambda: _sign(EVENT, "whsec_guessed"), "wrong signature"),
        (EVENT + " ", lambda: _sign(EVENT), "wrong signature"),
        (EVENT, lambda: _sign(EVENT, age=301), "stale"),
        ("no json", lambda: _sign("no json"), "unreadable"),
        ("[1]", lambda: _sign("[1]"), "unreadable"),
    ],
)
def test_what_nobody_signed_is_refused_and_counted(payments, sql, body, sign, reason):
    """Nothing of it is stored but how often it happened."""
    signature = sign()
    for _ in range(2):
        with pytest.raises(Malformed) as refused:
            payments.webhook(provider="simulator", body=body, signature=signature)
        assert refused.value.code == "notice_refused"
    assert sql("SELECT 1 FROM provider_notices") == []
    (row,) = sql("SELECT provider, reason, count FROM refused_notices")
    assert row == {"provider": "simulator", "reason": reason, "count": 2}


def test_a_provider_that_is_not_set_up(payments):
    """Without a key for Stripe there is nobody who could check its signature."""
    with pytest.raises(NotFound):
        payments.webhook(provider="stripe", body=EVENT, signature=_sign(EVENT))


def test_a_notice_outlives_the_process(unheard, tell, outcome, status, crash_before, clock):
    """It is stored before it is answered: what breaks off is looked into again."""
    crash_before(webhooks, "look_into")
    event_id = tell("charge.succeeded", unheard.reference, key=unheard.key)
    clock.advance(seconds=5)
    assert outcome(event_id) == "booked"
    assert status() == "succeeded"


def test_old_notices_are_forgotten(tell, outcome, sql, service, clock):
    """After a month nobody asks what was told."""
    event_id = tell("x.y", "sim_of_somebody_else")
    outcome(event_id)
    clock.advance(days=31)
    with entrypoint_hook(service, "purge") as purge:
        purge()
    assert sql("SELECT 1 FROM provider_notices") == []
