"""No secret is anywhere but on its way. Every test here ends with the same look; these show that it
looks at what was sent, and that it can fail."""

import pytest

from tests.integration.stripe import checks
from tests.integration.stripe.additions import API_KEY
from tests.integration.stripe.conftest import SECRETS


def test_secrets_are_sent_and_left_nowhere(
    pay, refund, stripe, door, everything_stored, logged, reference
):
    """Paid, refunded and declined, at the lowest log level: tables and log tell of it, and of no
    key, token or client secret, though all of them went over the wire."""
    payment = pay()
    refund(payment, "1.00")
    pay(stripe.card("4000000000000002"), order_id="00000000-0000-4000-8000-000000000001")
    stored, told = everything_stored(), "".join(logged)
    assert reference(payment) in stored
    assert payment["id"] in told
    assert "/v1/payment_intents" in told  # urllib3 at DEBUG
    created = door.asked("POST /v1/payment_intents")[0]
    assert created.headers["Authorization"] == f"Bearer {API_KEY}"
    assert checks.secrets_in(created.form["payment_method"])
    assert "_secret_" in str(stripe.get("payment_intents", reference(payment)))
    assert checks.secrets_in(stored + told) == []


def test_errors_do_not_repeat_what_was_sent(pay, door, stripe, logged):
    """Stripe's words for a key that is used again have the whole request in them."""
    door.fail("error_before", "POST /v1/payment_intents")
    pay(stripe.card())
    answer = pay(stripe.card())
    assert "IdempotencyError" in "".join(logged)
    assert checks.secrets_in("".join(logged) + str(answer)) == []


@pytest.mark.parametrize(
    "text",
    [
        API_KEY,
        SECRETS[0],
        "pi_1_secret_2",
        "{'client_secret': 1}",
        "token=pm_1Nx",
        "card 4242424242424242",
        "4000000000009995",
    ],
)
def test_the_look_can_fail(text):
    """Each kind of secret is found."""
    assert checks.secrets_in(text)
