"""The section `payments` of config.yaml."""

import pytest
from marshmallow import ValidationError

from payments.settings import PaymentsSettings

LIVE, TEST = "sk_live_1", "rk_test_1"


def load(**section):
    """The section, with a provider."""
    return PaymentsSettings().load({"provider": "simulator"} | section)


def test_every_setting_but_the_provider_has_a_default():
    """Naming the simulator is enough for a working shop."""
    settings = load()
    assert settings["call_seconds"] < settings["give_up_seconds"]
    assert settings["simulator"]["challenge_seconds"] > 0


@pytest.mark.parametrize(
    "section",
    [
        {"call_seconds": 0},
        {"sweep_batch": "many"},
        {"simulator": {"challenge_url": "javascript:1"}},
        {"stripe": {"api_key": "pk_live_1"}},
        {"stripe": {"api_key": "sk_live_\u0661"}},
        {"provider": "Simulator"},
        {"provider": "SIMULATOR"},
        {"provider": "paypal"},
        {"provider": None},
        {"provider": True},
    ],
)
def test_a_wrong_setting_is_named(section):
    """The fault names the setting."""
    with pytest.raises(ValidationError) as invalid:
        load(**section)
    assert invalid.value.messages.keys() == section.keys()


@pytest.mark.parametrize(
    ("provider", "key", "chosen"),
    [
        ("simulator", "", "simulator"),
        (" simulator\n", " ", "simulator"),
        ("simulator", TEST, "simulator"),
        ("stripe", LIVE, "stripe"),
        ("stripe", f" {LIVE}\n", "stripe"),
        ("", TEST, "stripe"),
        ("", LIVE, "stripe"),
    ],
)
def test_the_provider_that_is_named_takes_the_money(provider, key, chosen):
    """A key alone names Stripe, as it always has."""
    settings = load(provider=provider, stripe={"api_key": key})
    assert settings["provider"] == chosen
    assert settings["stripe"]["api_key"] == key.strip()


@pytest.mark.parametrize(
    ("provider", "key", "says"),
    [
        ("", "", "PAYMENT_PROVIDER"),
        ("  ", " \t", "PAYMENT_PROVIDER"),
        ("stripe", "", "STRIPE_API_KEY"),
        ("stripe", " ", "STRIPE_API_KEY"),
        ("simulator", LIVE, "live key"),
        ("simulator", "rk_live_1", "live key"),
        ("simulator", "sk_1", "live key"),
    ],
)
def test_nobody_gets_goods_for_nothing_by_mistake(provider, key, says):
    """The simulator has to be asked for; what is refused says what to set, and no key."""
    with pytest.raises(ValidationError) as invalid:
        load(provider=provider, stripe={"api_key": key})
    (line,) = invalid.value.messages["provider"]
    assert says in line
    assert not key.strip() or key.strip() not in line


def test_an_empty_section_is_refused():
    with pytest.raises(ValidationError) as invalid:
        PaymentsSettings().load({})
    assert invalid.value.messages.keys() == {"provider"}
