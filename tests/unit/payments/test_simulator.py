"""The simulator's scripts and chances."""

import hashlib
import hmac
import itertools
from dataclasses import fields

import pytest
from marshmallow import ValidationError

from contracts.payments.enums import Status
from payments.errors import WebhookRefused
from payments.providers import webhook_signature
from payments.providers.port import WebhookEvent
from payments.providers.simulator import Simulator, scripts
from payments.providers.simulator.scripts import Answer, Chances, Delivery, Script
from payments.settings import Chances as ChancesSettings
from payments.settings import PaymentsSettings

NEVER = dict.fromkeys(scripts.FAULTS, 0.0)
KEYS = [f"payment-{number}" for number in range(2000)]


def test_each_fault_has_a_token_and_a_setting():
    """What can happen by chance can be asked for as well, and the other way round."""
    of_tokens = {changes: token for token, changes in scripts.TOKENS.items()}
    for changes in scripts.FAULTS.values():
        assert Script(**changes) in of_tokens
    assert ChancesSettings().fields.keys() == scripts.FAULTS.keys()


def test_nothing_happens_by_default():
    """Without a setting, ordinary tokens are ordinary."""
    settings = PaymentsSettings().load({"provider": "simulator", "simulator": {"chances": None}})[
        "simulator"
    ]
    chances = Chances(settings["seed"], settings["chances"])
    assert {chances.of_charge("tok_visa", key) for key in KEYS} == {Script()}
    assert {chances.of_refund(key) for key in KEYS} == {Script()}


@pytest.mark.parametrize("fault", scripts.FAULTS)
def test_a_fault_is_as_likely_as_is_set(fault):
    """A quarter of the keys, give or take."""
    chances = Chances(7, NEVER | {fault: 0.25})
    struck = [chances.of_charge("tok_visa", key) != Script() for key in KEYS]
    assert 0.2 < sum(struck) / len(KEYS) < 0.3


def test_the_same_seed_strikes_the_same_keys():
    """Whatever comes first; another seed strikes others, and each fault others again."""
    set_to = dict.fromkeys(scripts.FAULTS, 0.2)
    one, other = Chances(1, set_to), Chances(2, set_to)
    first = {key: one.of_charge("tok_visa", key) for key in KEYS}
    assert first == {key: Chances(1, set_to).of_charge("tok_visa", key) for key in reversed(KEYS)}
    assert first != {key: other.of_charge("tok_visa", key) for key in KEYS}
    found = {(script.status, script.answer, script.delivery) for script in first.values()}
    assert found == set(
        itertools.product(
            (Status.SUCCEEDED, Status.FAILED, Status.REQUIRES_ACTION), Answer, Delivery
        )
    )


def test_other_tokens_are_left_alone():
    """A test that asks for a decline gets a decline."""
    chances = Chances(0, dict.fromkeys(scripts.FAULTS, 1.0))
    for token in scripts.TOKENS.keys() - {scripts.ORDINARY}:
        assert chances.of_charge(token, "k") == scripts.TOKENS[token]


def test_a_refund_is_never_refused_by_chance():
    """Only its answer and its webhook may be lost: an order must get its money back in the end."""
    chances = Chances(0, dict.fromkeys(scripts.FAULTS, 1.0))
    script = chances.of_refund("k")
    kept = {field.name for field in fields(Script)} - {"answer", "delivery"}
    assert all(getattr(script, name) == getattr(Script(), name) for name in kept)


def test_wrong_chances_are_named():
    """A fault that there is not, or more than certain."""
    for chances in ({"sunshine": 1}, {"down": 1.5}, {"down": -0.1}):
        with pytest.raises(ValidationError) as invalid:
            PaymentsSettings().load({"provider": "simulator", "simulator": {"chances": chances}})
        assert invalid.value.messages["simulator"]["chances"].keys() == chances.keys()


@pytest.fixture
def simulator():
    """One that believes two secrets; no book of it is opened here."""
    settings = PaymentsSettings().load(
        {"provider": "simulator", "simulator": {"webhook_secrets": "new,old"}}
    )
    return Simulator(None, None, settings["simulator"])


BODY = (
    '{"id": "evt_1", "type": "charge.succeeded",'
    ' "data": {"object": {"object": "charge", "id": "sim_1", "metadata": {"key": "k"}}}}'
)


@pytest.mark.parametrize("secret", ["new", "old"])
def test_a_notice_says_which_charge(simulator, secret):
    """Its reference and our key, under either secret."""
    notice = simulator.read_webhook(BODY, webhook_signature.sign(BODY, secret))
    assert notice == WebhookEvent("evt_1", "charge.succeeded", "sim_1", "k", "succeeded")


@pytest.mark.parametrize(
    ("body", "signed_body", "secret", "reason"),
    [
        (BODY, BODY, "other", "wrong signature"),
        (BODY + " ", BODY, "new", "wrong signature"),
        ("{}", "{}", "new", "unreadable"),
        ('{"data": []}', '{"data": []}', "new", "unreadable"),
        ("[]", "[]", "new", "unreadable"),
        ('{"created": "now"}', '{"created": "now"}', "new", "unreadable"),
        ('{"created": null}', '{"created": null}', "new", "unreadable"),
        ('{"created": true}', '{"created": true}', "new", "unreadable"),
        ('{"created": 1e9}', '{"created": 1e9}', "new", "unreadable"),
        ('{"created": Infinity}', '{"created": Infinity}', "new", "unreadable"),
    ],
)
def test_any_other_notice_is_refused(simulator, body, signed_body, secret, reason):
    """The reason is for our log."""
    with pytest.raises(WebhookRefused) as refused:
        simulator.read_webhook(body, webhook_signature.sign(signed_body, secret))
    assert refused.value.reason == reason


NOW = 1_800_000_000
DAY, YEAR = 86_400, 365 * 86_400


def signed_at(body, at):
    """The header that somebody who knows the secret makes for a time."""
    digest = hmac.new(b"new", f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


@pytest.fixture
def now(monkeypatch):
    """The time is `NOW`."""
    monkeypatch.setattr("time.time", lambda: float(NOW))


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW - 300, None),
        (NOW + 300, None),
        (f"0{NOW}", "wrong signature"),
        (NOW - 301, "stale"),
        (NOW - 10 * YEAR, "stale"),
        (0, "stale"),
        (NOW + 301, "ahead"),
        (NOW + 10 * YEAR, "ahead"),
        (10**14, "ahead"),
        (10**15, "wrong signature"),
        ("9" * 5000, "wrong signature"),
        (-NOW, "wrong signature"),
        (f"+{NOW}", "wrong signature"),
        (f" {NOW}", "wrong signature"),
        (f"{NOW}.0", "wrong signature"),
        ("1_800_000_000", "wrong signature"),
        ("\u0661\u0668\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660", "wrong signature"),
        ("\uff11\uff18\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff10", "wrong signature"),
        ("", "wrong signature"),
        ("now", "wrong signature"),
        (f"{NOW},t={NOW}", "wrong signature"),
    ],
)
def test_a_signature_holds_for_five_minutes_either_way(simulator, now, at, reason):
    """However well it is signed: one of another time was kept, or was made for later."""
    assert refusal(simulator, BODY, signed_at(BODY, at)) == reason


@pytest.mark.parametrize(
    ("created", "reason"),
    [
        (NOW, None),
        (NOW - 30 * DAY, None),
        (NOW + 300, None),
        (NOW - 31 * DAY, "stale"),
        (NOW - 10 * YEAR, "stale"),
        (0, "stale"),
        (-NOW, "stale"),
        (NOW + 301, "ahead"),
        (NOW + 10 * YEAR, "ahead"),
        (10**40, "ahead"),
    ],
)
def test_an_event_was_made_within_the_time_that_it_can_be_sent_again(
    simulator, now, created, reason
):
    """Signed now, but about another time."""
    body = BODY.replace('{"id": "evt_1"', f'{{"created": {created}, "id": "evt_1"')
    assert refusal(simulator, body, signed_at(body, NOW)) == reason


def refusal(simulator, body, signature):
    """Why it is refused; None when it is taken."""
    try:
        simulator.read_webhook(body, signature)
    except WebhookRefused as refused:
        return refused.reason
    return None
