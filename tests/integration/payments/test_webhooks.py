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
from payments.providers.simulator import Simulator
from payments.service import PaymentsService
from payments.webhooks import commands as webhooks
from tests.support import run_timer

NEW, OLD = "whsec_new", "whsec_old"


@pytest.fixture
def service(start, clock):
    """Payments while one secret is being replaced by another."""
    secrets = {"provider": "simulator", "simulator": {"webhook_secrets": f"{NEW},{OLD}"}}
    (container,) = start(PaymentsService, payments=secrets)
    return container


@pytest.fixture
def tell(payments):
    """`tell("charge.succeeded", reference, key=…)`: a signed notice about a charge; its id."""

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


@pytest.fixture
def look(service):
    """`look()`: the timer comes round."""
    return lambda: run_timer(service, "process_webhooks")


@pytest.fixture
def asked(monkeypatch):
    """What the provider is asked about charges because of a notice, in order."""
    calls = []
    for name in ("look_up", "transactions_of"):
        real = getattr(Simulator, name)

        def ask(self, charge, name=name, real=real):
            calls.append(name)
            return real(self, charge)

        monkeypatch.setattr(Simulator, name, ask)
    return calls


@pytest.fixture
def charge(sql):
    """`charge()`: the one that the simulator has, with its `.reference` and our `.key`."""

    def find():
        (row,) = sql("SELECT reference, key FROM simulator_charges")
        return types.SimpleNamespace(**row)

    return find


@pytest.fixture
def at_once(sql):
    """`at_once(event_id)`: what is known of a notice when it is taken."""

    def find(event_id):
        find = "SELECT outcome, processed_at FROM provider_notices WHERE event_id = :id"
        (row,) = sql(find, id=event_id)
        assert (row["outcome"] is None) == (row["processed_at"] is None)
        return row["outcome"]

    return find


@pytest.mark.parametrize(
    ("token", "kind"), [("tok_visa", "charge.succeeded"), ("tok_declined", "charge.failed")]
)
def test_what_is_settled_just_so_is_done_with(pay, tell, at_once, charge, asked, told, token, kind):
    """Doubled and late as it may be: it is known when it is taken, and nobody is asked."""
    pay(token)
    found, before = charge(), told()
    for _ in range(2):
        assert at_once(tell(kind, found.reference, key=found.key, event_id="evt_same")) == "settled"
    assert (told(), asked) == (before, [])


@pytest.mark.parametrize(
    ("token", "kind", "status_after"),
    [
        ("tok_visa", "charge.failed", "succeeded"),
        ("tok_visa", "charge.updated", "succeeded"),
        ("tok_declined", "charge.succeeded", "failed"),
        ("tok_partial", "charge.succeeded", "failed"),
        ("tok_partial", "charge.failed", "failed"),
        ("tok_3ds", "charge.succeeded", "requires_action"),
    ],
)
def test_any_other_news_are_looked_into(
    by_hand, pay, tell, look, at_once, charge, status, asked, token, kind, status_after
):
    """Of another state, of unknown types, of a part: what is booked is what the provider says."""
    pay(token)
    event_id = tell(kind, charge().reference, key=charge().key)
    assert at_once(event_id) is None
    look()
    assert at_once(event_id) == "booked"
    assert asked
    assert status() == status_after


@pytest.mark.parametrize(
    "change",
    [
        "refunding = 1",
        "refunded = 1, status = 'partially_refunded'",
        "provider = 'stripe'",
        "captured = 99",
        "status = 'failed', superseded = true",
    ],
)
def test_what_is_not_quite_so_is_looked_into(by_hand, pay, tell, at_once, charge, sql, change):
    """Money on its way back, less of it, or a charge of the same name at another provider."""
    pay()
    found = charge()
    before = "refunding = 0, refunded = 0, captured = 100, superseded = false"
    sql(f"UPDATE payments SET {change}")
    assert at_once(tell("charge.succeeded", found.reference, key=found.key)) is None
    sql(f"UPDATE payments SET {before}, status = 'succeeded', provider = 'simulator'")


def test_names_that_do_not_fit_together_are_looked_into(by_hand, pay, tell, at_once, charge):
    """The charge of one payment under the key of another, or none that we know."""
    pay()
    reference = charge().reference
    for key in (f"payment-{uuid.uuid4()}", "payment-no-uuid", ""):
        assert at_once(tell("charge.succeeded", reference, key=key)) is None
    assert at_once(tell("charge.succeeded", "sim_of_somebody_else", key=charge().key)) is None


def test_news_before_our_own_answer_is_booked(
    by_hand, pay, tell, look, at_once, charge, status, told, monkeypatch
):
    """The provider is faster than we: the notice waits, and whoever is first settles it, once."""
    events, real = [], charges.settle

    def settle(*args):
        monkeypatch.setattr(charges, "settle", real)
        events.append(tell("charge.succeeded", charge().reference, key=charge().key))
        assert at_once(*events) is None
        look()
        return real(*args)

    monkeypatch.setattr(charges, "settle", settle)
    assert pay()["status"] == status() == "succeeded"
    assert at_once(*events) == "booked"
    assert [kind for kind, _ in told()] == ["payment_succeeded"]


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
