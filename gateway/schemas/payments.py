"""Payments and refunds."""

import re

from marshmallow import ValidationError, fields, validate, validates_schema

from chassis.fields import (
    Choice,
    Currency,
    Expected,
    Money,
    Page,
    Request,
    String,
    Text,
    Timestamp,
    Uuid,
)
from gateway.schemas import common

_STATUSES = (
    "pending",
    "requires_action",
    "succeeded",
    "failed",
    "partially_refunded",
    "refunded",
)
_REFERENCE = {"min": 10, "max": 200, "validate": validate.Regexp(r"[A-Za-z0-9_]+\Z")}
_TOKEN = re.compile(r"[a-z]{2,10}_[A-Za-z0-9_]{1,190}")
#: As many digits as cards have, in a row or in groups.
_CARD_NUMBER = re.compile(r"\d(?:_*\d){12,18}")


def _is_token(value: str) -> None:
    """Refuse a card number before it goes any further; the message does not repeat it."""
    if not _TOKEN.fullmatch(value) or _CARD_NUMBER.search(value):
        raise ValidationError("Send the provider's token, never a card number.")


class Method(Request):
    """`{"type": "card", "token": "tok_visa"}`, or `{"type": "checkout"}`: on the page of Stripe."""

    type = Choice(["card", "checkout"], required=True)
    token = String(
        max=201,
        validate=_is_token,
        metadata={
            "pattern": rf"^(?!.*\d(?:_*\d){{12}}){_TOKEN.pattern}$",
            "description": "A token from the payment provider; card numbers are refused.",
        },
    )

    @validates_schema
    def _check_token(self, data, **kwargs):
        if (data.get("type") == "card") != ("token" in data):
            raise ValidationError("For a card, and only for that.", "token")


class NewPayment(Request):
    order_id = Uuid(required=True)
    method = fields.Nested(Method, required=True)


class WebhookPath(Request):
    provider = Choice(["stripe", "simulator"], required=True)


class Signed(Request):
    """Required, but checked by the one who knows the secret."""

    signature = String(
        max=2000,
        data_key="Stripe-Signature",
        metadata={"description": "The time, and an HMAC of it and the body, in Stripe's form."},
    )


class ProviderEvent(Expected):
    """An event as the provider sends it; payments alone reads it, once its signature holds."""

    json_schema = {"additionalProperties": True}

    id = String(min=1, max=255, required=True)
    type = String(min=1, max=255, required=True)


class CameBack(Expected):
    """What the provider adds to our address, with things of its own that we do not need: after 3-D
    Secure a client secret."""

    session_id = String(**_REFERENCE)
    payment_intent = String(**_REFERENCE)

    @validates_schema
    def _check(self, data, **kwargs):
        if len(data) != 1:
            raise ValidationError("Send session_id or payment_intent.")


class Outcome(common.Resource):
    """What became of a payment by now."""

    order_id = Uuid(required=True)
    payment_id = Uuid(required=True)
    status = Choice(_STATUSES, required=True)


class PaymentPath(Request):
    payment_id = Uuid(required=True)


class PaymentQuery(Page):
    order_id = Uuid(required=True)


class Refund(Request):
    """Without `amount`, all that is left."""

    amount = Money(min="0.01")
    reason = Text(max=500, required=True)


class Payment(common.Resource):
    id = Uuid(required=True)
    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    provider = fields.String(required=True)
    status = Choice(_STATUSES, required=True)
    amount = fields.Decimal(required=True)
    refunded = fields.Decimal(required=True)
    currency = Currency(required=True)
    action_url = fields.String(required=True, allow_none=True)
    failure_code = fields.String(required=True, allow_none=True)
    test_mode = fields.Boolean(
        required=True, metadata={"description": "No real money: the simulator, or a test key."}
    )
    created_at = Timestamp(required=True)


PaymentPage = common.page_of(Payment)
