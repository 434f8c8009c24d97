"""The section `payments` of config.yaml."""

from typing import Any

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    pre_load,
    validate,
    validates_schema,
)

from contracts.payments.enums import ProviderName

_SECONDS = validate.Range(min=1, max=86_400)


def _chance() -> fields.Float:
    return fields.Float(load_default=0.0, validate=validate.Range(min=0, max=1))


class Secrets(fields.Field[tuple[str, ...]]):
    """Texts joined by commas, as a tuple."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[str, ...]:
        text = fields.String().deserialize(value)
        return tuple(one.strip() for one in text.split(",") if one.strip())


class Chances(Schema):
    """How likely each fault of the simulator is with ordinary tokens, from 0 to 1
    (`payments.providers.simulator.scripts.FAULTS`)."""

    declined = _chance()
    insufficient_funds = _chance()
    challenge = _chance()
    partial_capture = _chance()
    timeout_before = _chance()
    timeout_after = _chance()
    down = _chance()
    notice_twice = _chance()
    notice_late = _chance()
    notice_lost = _chance()
    notice_reordered = _chance()


class SimulatorSettings(Schema):
    """The offline provider."""

    #: How long the buyer has to pass a 3-D Secure challenge.
    challenge_seconds = fields.Integer(load_default=600, validate=_SECONDS)
    #: Where the simulated bank would ask; the payment's reference is appended.
    challenge_url = fields.Url(
        load_default="https://bank.example/3ds/", require_tld=False, schemes={"http", "https"}
    )
    #: Where its webhooks go, and what they are signed with (the first; the others are still
    #: believed). Without one of the two there are none.
    webhook_url = fields.String(load_default="", validate=validate.Regexp(r"(https?://\S+)?\Z"))
    webhook_secrets = Secrets(load_default=())
    #: What befalls whom is decided by this number, the key and the fault alone.
    seed = fields.Integer(load_default=0)
    chances = fields.Nested(Chances, load_default=lambda: Chances().load({}))
    #: How long it is not there when it is down, and how much late webhooks are late.
    down_seconds = fields.Integer(load_default=5, validate=_SECONDS)
    late_seconds = fields.Integer(load_default=5, validate=_SECONDS)

    @pre_load
    def take_nothing_for_no_chances(self, data: Any, **kwargs: Any) -> Any:
        """As config.yaml has it where the environment says nothing."""
        return {name: value for name, value in data.items() if value is not None}


class Trimmed(fields.String):
    """A text without the white space around it, which is easily pasted along."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, attr, data, **kwargs).strip()


class StripeSettings(Schema):
    """Stripe; there is none without a key."""

    api_key = Trimmed(
        load_default="",
        validate=validate.Regexp(
            r"((sk|rk)_[A-Za-z0-9_]+)?\Z", error="Not a secret key of Stripe (sk_… or rk_…)."
        ),
    )
    #: Where it is: https://api.stripe.com, or a stand-in for tests.
    api_base = fields.Url(
        load_default="https://api.stripe.com", require_tld=False, schemes={"http", "https"}
    )
    #: Secrets of the webhook, joined by commas: while one is replaced by another both hold.
    webhook_secrets = Secrets(load_default=())
    #: Where buyers reach the gateway: Stripe's page sends them back there.
    return_url = fields.Url(
        load_default="http://localhost:8000", require_tld=False, schemes={"http", "https"}
    )
    #: How long a buyer has for a 3-D Secure challenge or Stripe's page, then it is closed.
    action_seconds = fields.Integer(load_default=1200, validate=_SECONDS)


class PaymentsSettings(Schema):
    """How the service deals with its provider.

    The simulator takes no money, so it has to be asked for by name. Without a name a key for Stripe
    means Stripe, and without a key there is no shop.
    """

    #: Who takes the money of new payments; after loading one of the two, never empty.
    provider = Trimmed(
        load_default="",
        validate=validate.OneOf(["", *ProviderName], error="Must be stripe or simulator."),
    )
    #: One call to the provider is over after this time; nobody else drives the payment before.
    call_seconds = fields.Integer(load_default=10, validate=_SECONDS)
    #: A payment that the provider has still never heard of after this time has failed.
    give_up_seconds = fields.Integer(load_default=300, validate=_SECONDS)
    #: What is younger is on its way, and not judged by the reconciliation.
    settling_seconds = fields.Integer(load_default=300, validate=_SECONDS)
    #: At most this many payments, and refunds, are looked after at each tick.
    sweep_batch = fields.Integer(load_default=50, validate=validate.Range(min=1, max=1000))
    stripe = fields.Nested(StripeSettings, load_default=lambda: StripeSettings().load({}))
    simulator = fields.Nested(SimulatorSettings, load_default=lambda: SimulatorSettings().load({}))

    @validates_schema(skip_on_field_errors=True)
    def _check_provider(self, data: dict[str, Any], **kwargs: Any) -> None:
        provider, key = data["provider"], data["stripe"]["api_key"]
        if not provider and not key:
            raise ValidationError(
                "Set PAYMENT_PROVIDER=stripe and STRIPE_API_KEY, or PAYMENT_PROVIDER=simulator to"
                " try the shop out: that takes no money.",
                "provider",
            )
        if provider == ProviderName.STRIPE and not key:
            raise ValidationError("Stripe needs STRIPE_API_KEY.", "provider")
        if provider == ProviderName.SIMULATOR and key and not is_test_key(key):
            raise ValidationError(
                "The simulator takes no money, and STRIPE_API_KEY is a live key: take one of the"
                " two away.",
                "provider",
            )

    @post_load
    def _choose(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return data | {"provider": data["provider"] or ProviderName.STRIPE}


def is_test_key(api_key: str) -> bool:
    """Does this key of Stripe move no real money? https://docs.stripe.com/keys#test-live-modes"""
    return api_key.startswith(("sk_test_", "rk_test_"))
