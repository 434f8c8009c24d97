"""The section `payments` of config.yaml."""

import pytest
from marshmallow import ValidationError

from payments.settings import PaymentsSettings


def test_every_setting_has_a_default():
    """An empty section is a working shop with the simulator."""
    settings = PaymentsSettings().load({})
    assert settings["call_seconds"] < settings["give_up_seconds"]
    assert settings["simulator"]["challenge_seconds"] > 0


@pytest.mark.parametrize(
    "section",
    [
        {"call_seconds": 0},
        {"sweep_batch": "many"},
        {"simulator": {"challenge_url": "javascript:1"}},
    ],
)
def test_a_wrong_setting_is_named(section):
    """The fault names the setting."""
    with pytest.raises(ValidationError) as invalid:
        PaymentsSettings().load(section)
    assert invalid.value.messages.keys() == section.keys()
