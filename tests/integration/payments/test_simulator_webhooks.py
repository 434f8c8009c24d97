"""The simulator's webhooks: real requests to a real server."""

import json
import types

import eventlet
import eventlet.wsgi
import pytest
from nameko.testing.utils import find_free_port

from payments.errors import WebhookRefused
from payments.providers import webhook_signature
from payments.providers.simulator import webhooks
from payments.service import PaymentsService
from tests.integration.payments.conftest import Crash
from tests.support import run_timer

NEW, OLD = "whsec_new", "whsec_old"


@pytest.fixture
def door():
    """A server that webhooks are sent to: what came, in `.came` (body, signature); what it answers
    is `.status`, after `.slowness` seconds; the next `.refused` are not taken."""
    heard = types.SimpleNamespace(came=[], status="204 No Content", slowness=0, refused=0)
    listener = eventlet.listen(("127.0.0.1", find_free_port()))

    def application(environ, start_response):
        body = environ["wsgi.input"].read().decode()
        heard.came.append((body, environ.get("HTTP_STRIPE_SIGNATURE")))
        eventlet.sleep(heard.slowness)
        heard.refused -= 1
        status = heard.status if heard.refused < 0 else "503 Service Unavailable"
        start_response(status, [("Content-Length", "0")])
        return [b""]

    server = eventlet.spawn(eventlet.wsgi.server, listener, application, log_output=False)
    heard.url = "http://{}:{}/webhooks".format(*listener.getsockname())
    heard.told = lambda: [(e["type"], e["id"]) for e, _ in map(_read, heard.came)]
    heard.types = lambda: [type for type, _ in heard.told()]
    yield heard
    server.kill()
    listener.close()


def _read(request):
    body, signature = request
    return json.loads(body), signature


@pytest.fixture
def missing():
    """Which of the two settings is not made."""


@pytest.fixture
def settings(door, missing):
    """Section `payments.simulator`."""
    made = {"webhook_url": door.url, "webhook_secrets": f"{NEW}, {OLD}"}
    return {name: value for name, value in made.items() if name != missing}


@pytest.fixture
def service(start, clock, settings):
    """A service whose provider tells."""
    (container,) = start(PaymentsService, payments={"provider": "simulator", "simulator": settings})
    return container


@pytest.fixture
def waiting(sql):
    """`waiting()`: how many webhooks are to be sent."""
    return lambda: sql("SELECT count(*) FROM simulator_notices")[0]["count"]


def test_a_charge_is_told_of(pay, payments, door, sql, eventually):
    """By its reference and our key, and nothing else; signed with the newest secret."""
    payment = pay()
    eventually(lambda: door.came)
    ((body, signature),) = door.came
    event = webhook_signature.read(body, signature, [NEW])
    with pytest.raises(WebhookRefused):
        webhook_signature.read(body, signature, [OLD])
    (charge,) = sql("SELECT reference, key FROM simulator_charges")
    told = {"object": "charge", "id": charge["reference"], "metadata": {"key": charge["key"]}}
    assert event == {"id": event["id"], "type": "charge.succeeded", "data": {"object": told}}
    assert charge["key"] == f"payment-{payment['id']}"


@pytest.mark.parametrize(
    ("token", "type"),
    [
        ("tok_declined", "charge.failed"),
        ("tok_partial", "charge.succeeded"),
        ("tok_timeout", "charge.succeeded"),
    ],
)
def test_an_outcome_is_told(pay, door, eventually, token, type):
    """Whatever the caller heard."""
    pay(token)
    eventually(lambda: door.types()[:1] == [type])


def test_a_refund_is_told(pay, payments, door, eventually):
    """Once, however often it was asked for."""
    payment = pay()
    for _ in range(2):
        payments.refund(payment_id=payment["id"], amount="1.00", reason="x", key="a")
    eventually(lambda: door.types() == ["charge.succeeded", "charge.refunded"])


def test_the_end_of_a_challenge_is_told(pay, door, clock, sql, monkeypatch, eventually):
    """Nobody looked it up: the buyer's own doing is told, passed or not."""
    monkeypatch.setattr("payments.jobs.sweep", lambda context: None)
    monkeypatch.setattr("payments.webhooks.commands.process", lambda context: None)
    pay("tok_3ds_passes")
    pay("tok_3ds", order_id="00000000-0000-4000-8000-000000000001")
    clock.advance(seconds=3)
    eventually(lambda: door.types() == ["charge.succeeded"])
    clock.advance(seconds=600)
    eventually(lambda: door.types() == ["charge.succeeded", "charge.failed"])
    statuses = sql("SELECT status FROM simulator_charges ORDER BY passes_at NULLS LAST")
    assert [row["status"] for row in statuses] == ["succeeded", "failed"]


def test_twice_is_the_same_again(pay, door, eventually, waiting):
    """Under one id."""
    pay("tok_notice_twice")
    eventually(lambda: len(door.came) == 2 and not waiting())
    assert len(set(door.told())) == 1


def test_late_is_some_seconds_later(pay, door, clock, waiting, eventually):
    """Not before."""
    pay("tok_notice_late")
    pay(order_id="00000000-0000-4000-8000-000000000001")
    eventually(lambda: waiting() == 1)
    assert len(door.came) == 1
    clock.advance(seconds=5)
    eventually(lambda: len(door.came) == 2)


def test_lost_never_comes(pay, door, waiting, sql):
    """There is nothing to send."""
    pay("tok_notice_lost")
    assert waiting() == 0


def test_reordered_is_old_news_after_new_ones(pay, door, waiting, eventually):
    """The charge failed before it succeeded, says who comes too late."""
    payment = pay("tok_notice_reordered")
    eventually(lambda: len(door.came) == 2 and not waiting())
    assert door.types() == ["charge.succeeded", "charge.failed"]
    assert len(set(door.told())) == 2
    assert payment["status"] == "succeeded"


def test_what_is_not_taken_comes_again(pay, door, clock, waiting, eventually):
    """Until it is, or has been tried often enough."""
    door.status = "503 Service Unavailable"
    pay()
    eventually(lambda: len(door.came) == 1)
    clock.advance(seconds=webhooks.LONGEST_PAUSE)
    eventually(lambda: len(door.came) == 2)
    door.status = "204 No Content"
    clock.advance(seconds=webhooks.LONGEST_PAUSE)
    eventually(lambda: not waiting())
    assert len(door.came) == 3
    assert len(set(door.told())) == 1


def test_of_a_batch_only_that_comes_again_which_was_not_taken(
    by_hand, pay, door, clock, service, waiting
):
    """Three are sent together; the one that was refused is sent once more, after a while."""
    for number in range(3):
        pay(order_id=f"00000000-0000-4000-8000-00000000000{number}")
    door.refused = 1
    run_timer(service, "simulate")
    assert (len(door.came), waiting()) == (3, 1)
    run_timer(service, "simulate")
    assert len(door.came) == 3
    clock.advance(seconds=webhooks.LONGEST_PAUSE)
    run_timer(service, "simulate")
    assert (len(door.came), waiting()) == (4, 0)
    assert door.told()[3] == door.told()[0]


def test_a_sender_that_dies_is_replaced(by_hand, pay, door, clock, service, waiting, crash_before):
    """What it had set aside is sent by whoever comes round when that time is over."""
    pay()
    crash_before(webhooks.Webhooks, "_arrives")
    with pytest.raises(Crash):
        run_timer(service, "simulate")
    run_timer(service, "simulate")
    assert (door.came, waiting()) == ([], 1)
    clock.advance(seconds=2 * webhooks.PATIENCE * webhooks.BATCH)
    run_timer(service, "simulate")
    assert (len(door.came), waiting()) == (1, 0)


def test_nobody_is_told_for_ever(pay, door, clock, waiting, sql, eventually):
    """After the last try it is given up."""
    door.status = "400 Bad Request"
    pay()
    eventually(lambda: len(door.came) == 1)
    sql(f"UPDATE simulator_notices SET tries = {webhooks.TRIES - 1}")
    clock.advance(seconds=webhooks.LONGEST_PAUSE)
    eventually(lambda: len(door.came) == 2)
    clock.advance(seconds=webhooks.LONGEST_PAUSE)
    eventually(lambda: not waiting())
    assert len(door.came) == 2


def test_a_slow_receiver_holds_nothing_up(pay, door, sql, monkeypatch, eventually):
    """It is let go soon, and no transaction is open meanwhile."""
    monkeypatch.setattr(webhooks, "PATIENCE", 0.2)
    door.slowness = 60
    pay()
    eventually(lambda: door.came)
    idle = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'payments' AND state LIKE 'idle in transaction%'"
    )
    assert sql(idle) == []
    assert pay(order_id="00000000-0000-4000-8000-000000000001")["status"] == "succeeded"
    eventually(lambda: len(door.came) == 2)


def test_several_processes_send_each_once(pay, door, start, settings, waiting, eventually):
    """They share the work."""
    section = {"provider": "simulator", "simulator": settings}
    start(PaymentsService, PaymentsService, payments=section)
    for number in range(30):
        pay(order_id=f"00000000-0000-4000-8000-0000000000{number:02}")
    eventually(lambda: len(door.came) >= 30 and not waiting())
    assert len(set(door.told())) == len(door.came) == 30


@pytest.mark.parametrize("missing", ["webhook_url", "webhook_secrets"])
def test_without_address_or_secret_nothing_is_told(pay, waiting, missing):
    """There is no secret that everybody knows."""
    assert pay()["status"] == "succeeded"
    assert waiting() == 0


def test_a_webhook_settles_what_a_look_up_would(
    pay, payments, door, status, monkeypatch, eventually
):
    """Received, it leads to the truth in the provider's books; twice changes nothing."""
    monkeypatch.setattr("payments.jobs.sweep", lambda context: None)
    pay("tok_timeout")
    eventually(lambda: door.came)
    ((body, signature),) = door.came
    for _ in range(2):
        payments.webhook(provider="simulator", body=body, signature=signature)
    eventually(lambda: status() == ["succeeded"])


def test_news_of_a_part_change_nothing_more(pay, payments, door, sql, status, eventually):
    """It was given back when it came; a webhook that tells of it again finds all done."""
    pay("tok_partial")
    eventually(lambda: "charge.refunded" in door.types())
    for body, signature in door.came:
        payments.webhook(provider="simulator", body=body, signature=signature)
    outcomes = "SELECT outcome FROM provider_notices WHERE outcome IS NOT NULL"
    eventually(lambda: [row["outcome"] for row in sql(outcomes)] == ["booked"] * 2)
    assert status() == ["failed"]
    assert len(sql("SELECT 1 FROM ledger_entries")) == 2
