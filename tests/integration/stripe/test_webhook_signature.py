"""What a webhook is believed: who signed it, and which charge it is about."""

import json
import time

import pytest
import requests
from stripe import WebhookSignature

from payments.errors import WebhookRefused
from payments.providers.port import WebhookEvent
from payments.providers.webhook_signature import sign
from tests.integration.stripe.conftest import SECRETS

NEW, OLD = SECRETS


def event(kind, thing, **more):
    return json.dumps({"id": "evt_1", "type": kind, "data": {"object": thing}, **more})


INTENT = {"object": "payment_intent", "id": "pi_1", "metadata": {"key": "payment-1"}}
BODY = event("payment_intent.succeeded", INTENT)


def refused(provider, body, signature):
    with pytest.raises(WebhookRefused) as fault:
        provider.read_webhook(body, signature)
    return fault.value.reason


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_both_secrets_hold_while_one_replaces_the_other(provider, secret):
    """Stripe may sign with either."""
    notice = provider.read_webhook(BODY, sign(BODY, secret))
    told = ("evt_1", "payment_intent.succeeded", "pi_1", "payment-1", "succeeded")
    assert notice == WebhookEvent(*told)


def test_one_right_signature_of_several_is_enough(provider):
    """While a secret is replaced Stripe sends a signature by each."""
    new, unknown = sign(BODY, NEW), sign(BODY, "whsec_unknown")
    both = f"{unknown},{new.split(',')[1]}"
    assert provider.read_webhook(BODY, both).id == "evt_1"


@pytest.mark.parametrize(
    ("body", "signature", "reason"),
    [
        (BODY, None, "unsigned"),
        (BODY, "", "unsigned"),
        (BODY, sign(BODY, "whsec_of_somebody_else"), "wrong signature"),
        (BODY.replace("pi_1", "pi_2"), sign(BODY, NEW), "wrong signature"),
        (BODY, sign(BODY, NEW).replace("v1=", "v0="), "wrong signature"),
        (BODY, "t=1,v1=é", "wrong signature"),
        (BODY, "t=now,v1=00", "wrong signature"),
        (BODY, "nonsense", "wrong signature"),
        (BODY, f"t={'9' * 5000},v1=00", "wrong signature"),
        ("\ud800", sign(BODY, NEW), "wrong signature"),
    ],
)
def test_what_nobody_we_know_has_signed_is_refused(provider, body, signature, reason):
    """Whatever is sent, it is refused and never an error of ours."""
    assert refused(provider, body, signature) == reason


@pytest.mark.parametrize(("age", "holds"), [(290, True), (310, False)])
def test_a_signature_holds_for_five_minutes(provider, age, holds):
    """What was overheard is of no use later."""
    at = int(time.time()) - age
    signature = WebhookSignature.generate_signature_header(BODY, NEW, timestamp=at)
    if holds:
        assert provider.read_webhook(BODY, signature).id == "evt_1"
    else:
        assert refused(provider, BODY, signature) == "stale"


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "[]", "null", "{}", '{"id": "evt_1"}', '{"id": "evt_1", "data": []}',
     '{"id": "evt_1", "data": {"object": "pi_1"}}', event("x", {}).replace("evt_1", "")],
)  # fmt: skip
def test_garbage_is_refused_even_when_signed(provider, body):
    """400, not a failure of ours."""
    assert refused(provider, body, sign(body, NEW)) == "unreadable"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("payment_intent.succeeded", "succeeded"),
        ("payment_intent.payment_failed", "failed"),
        ("payment_intent.canceled", "failed"),
        ("checkout.session.completed", "succeeded"),
        ("checkout.session.expired", "failed"),
        ("payment_intent.processing", None),
        ("charge.refunded", None),
        ("charge.dispute.created", None),
        ("refund.failed", None),
        (["payment_intent.succeeded"], None),
        (None, None),
    ],
)
def test_only_the_end_of_a_charge_is_read_out_of_a_notice(provider, kind, status):
    """Of everything else it is only known that something is worth a look."""
    body = event(kind, INTENT)
    assert provider.read_webhook(body, sign(body, NEW)).status == status


@pytest.mark.parametrize(
    ("thing", "reference", "key"),
    [
        (INTENT, "pi_1", "payment-1"),
        ({"object": "checkout.session", "id": "cs_1", "metadata": {"key": "k"}}, "cs_1", "k"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, "pi_1", None),
        ({"object": "refund", "payment_intent": "pi_1", "metadata": {"key": "r"}}, "pi_1", None),
        ({"object": "dispute", "id": "du_1", "payment_intent": "pi_1"}, "pi_1", None),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, None, None),
        ({"object": "customer", "id": "cus_1"}, None, None),
        ({"object": "payment_intent", "id": "pi_1", "metadata": None}, "pi_1", None),
        ({"object": "payment_intent", "id": 1, "metadata": {"key": 1}}, None, None),
    ],
)
def test_a_notice_names_the_charge_it_is_about(provider, thing, reference, key):
    """By Stripe's name, and ours where it is written on it; or it is about none."""
    body = event("some.event", thing)
    assert provider.read_webhook(body, sign(body, NEW)) == WebhookEvent(
        "evt_1", "some.event", reference, key
    )


@pytest.mark.parametrize(
    ("number", "kind"),
    [("4242424242424242", "succeeded"), ("4000000000000341", "payment_failed")],
)
def test_localstripes_own_webhooks_are_read(
    pay, stripe, door, localstripe, provider, reference, eventually, number, kind
):
    """Sent over HTTP and signed by localstripe, not by us."""
    hook = {"url": f"{door.url}/notices", "secret": OLD}
    requests.post(f"{localstripe}/_config/webhooks/test", json=hook, timeout=5).raise_for_status()
    payment = pay(stripe.card(number))
    body, headers = eventually(lambda: door.told_of(reference(payment)))
    notice = provider.read_webhook(body, headers["Stripe-Signature"])
    assert notice.type == f"payment_intent.{kind}"
    assert (notice.reference, notice.key) == (reference(payment), f"payment-{payment['id']}")
