"""The section `payments` of config.yaml."""

from marshmallow import Schema, fields, validate

_SECONDS = validate.Range(min=1, max=86_400)


class SimulatorSettings(Schema):
    """The offline provider."""

    #: How long the buyer has to pass a 3-D Secure challenge.
    challenge_seconds = fields.Integer(load_default=600, validate=_SECONDS)
    #: Where the simulated bank would ask; the payment's reference is appended.
    challenge_url = fields.Url(
        load_default="https://bank.example/3ds/", require_tld=False, schemes={"http", "https"}
    )


class PaymentsSettings(Schema):
    """How the service deals with its provider."""

    #: One call to the provider is over after this time; nobody else drives the payment before.
    call_seconds = fields.Integer(load_default=10, validate=_SECONDS)
    #: A payment that the provider has still never heard of after this time has failed.
    give_up_seconds = fields.Integer(load_default=300, validate=_SECONDS)
    #: At most this many payments, and refunds, are looked after at each tick.
    sweep_batch = fields.Integer(load_default=50, validate=validate.Range(min=1, max=1000))
    simulator = fields.Nested(SimulatorSettings, load_default=lambda: SimulatorSettings().load({}))
