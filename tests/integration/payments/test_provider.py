"""Who takes the money: the simulator only when it is asked for by name."""

import os
import subprocess
import sys

import pytest

from chassis.errors import NotFound
from payments.providers import webhook_signature
from payments.service import PaymentsService

SECRET = "whsec_1"
STRIPE = {
    "provider": "stripe",
    "stripe": {"api_key": "sk_test_1", "api_base": "http://127.0.0.1:9"},
}
SIMULATOR = {"provider": "simulator", "simulator": {"webhook_secrets": SECRET}}


@pytest.fixture
def settings():
    """The section `payments`."""
    return SIMULATOR


@pytest.fixture
def service(start, clock, settings):
    """The running service; its books stay when another one is started after it."""
    (container,) = start(PaymentsService, payments=settings)
    return container


@pytest.fixture
def switch(start, service):
    """`switch(section)`: from now on, payments runs with that section."""

    def other(section):
        service.stop()
        start(PaymentsService, payments=section)

    return other


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "payments.provider: Set PAYMENT_PROVIDER"),
        ({"PAYMENT_PROVIDER": "Simulator"}, "payments.provider: Must be stripe or simulator."),
        ({"PAYMENT_PROVIDER": "stripe"}, "payments.provider: Stripe needs STRIPE_API_KEY."),
        ({"PAYMENT_PROVIDER": "simulator", "STRIPE_API_KEY": "sk_live_1"}, "a live key"),
    ],
)
def test_the_start_is_refused_in_one_line(config, given, says):
    """As it is run in a container, before it touches anything."""
    environment = os.environ | {"PAYMENT_PROVIDER": "", "AMQP_URI": config["AMQP_URI"]} | given
    command = [sys.executable, "-m", "nameko", "run", "payments.service", "--config", "config.yaml"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    (line,) = [line for line in (run.stdout + run.stderr).splitlines() if "config:" in line]
    assert says in line
    assert "Traceback" not in run.stdout + run.stderr
    assert "sk_live_1" not in run.stdout + run.stderr


def test_it_says_that_no_real_money_is_taken(call, pay, payments):
    paid = pay()
    assert paid["test_mode"] is True
    assert payments.get(payment_id=paid["id"])["test_mode"] is True
    assert call.payments.health() == {"service": "payments", "status": "ok", "test_mode": True}


def test_payments_of_the_simulator_are_followed_to_their_end(switch, pay, payments, call):
    """After the switch to Stripe they are shown and given back, and no new one is made by it."""
    paid = pay()
    switch(STRIPE)
    assert payments.get(payment_id=paid["id"])["provider"] == "simulator"
    refunded = payments.refund(payment_id=paid["id"], amount="40.00", reason="x")
    assert (refunded["status"], refunded["refunded"]) == ("partially_refunded", "40.00")
    assert call.payments.health()["test_mode"] is True


def test_a_payment_that_the_simulator_never_heard_of_is_not_made_after_the_switch(
    switch, pay, sql, clock
):
    """Whoever repeats the request gives nobody's goods away."""
    pay("tok_timeout_before")
    switch(STRIPE)
    clock.advance(seconds=20)
    again = pay("pm_card_visa")
    assert again["status"] == "pending"
    assert sql("SELECT status FROM simulator_charges") == []


def test_the_simulator_has_no_door_unless_it_was_asked_for(switch, pay, payments):
    """Its webhooks are an address that is not there, however well they are signed."""
    reference = pay()["id"]
    body = (
        '{"id": "evt_1", "type": "charge.succeeded", "data": {"object": {"id": "sim_1",'
        f' "metadata": {{"key": "payment-{reference}"}}}}}}}}'
    )
    notice = {
        "provider": "simulator",
        "body": body,
        "signature": webhook_signature.sign(body, SECRET),
    }
    payments.webhook(**notice)
    switch(STRIPE | {"simulator": SIMULATOR["simulator"]})
    with pytest.raises(NotFound):
        payments.webhook(**notice)
