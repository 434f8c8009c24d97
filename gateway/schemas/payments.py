"""Payments and refunds."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from chassis.fields import Choice, Expected, Request, String, Uuid
from contracts.orders import requests as order_requests
from contracts.payments import requests
from contracts.payments.enums import MethodType, ProviderName
from contracts.payments.fields import ProviderReference
from contracts.payments.methods import CARD_TOKEN, MAX_TOKEN
from gateway.schemas.derive import body, query


class Method(Request):
    """`{"type": "card", "token": "tok_visa"}`, or `{"type": "checkout"}`: on the page of Stripe."""

    type = Choice(MethodType, required=True)
    token = String(
        max=MAX_TOKEN,
        # No as many digits as cards have, in a row or in groups. The message does not repeat them.
        validate=validate.Regexp(
            rf"(?!.*\d(?:_*\d){{12}})(?=[a-z]{{2,10}}_[A-Za-z0-9_]){CARD_TOKEN.pattern}\Z",
            error="Send the provider's token, never a card number.",
        ),
        metadata={"description": "A token from the payment provider; card numbers are refused."},
    )

    @validates_schema
    def _check_token(self, data: dict[str, Any], **kwargs: Any) -> None:
        if (data.get("type") == MethodType.CARD) != ("token" in data):
            raise ValidationError("For a card, and only for that.", "token")


class WebhookPath(Request):
    provider = Choice(ProviderName, required=True)


class WebhookHeaders(Request):
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

    session_id = ProviderReference()
    payment_intent = ProviderReference()

    @validates_schema
    def _check(self, data: dict[str, Any], **kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Send session_id or payment_intent.")


class PaymentPath(Request):
    payment_id = Uuid(required=True)


NewPayment = body(
    "NewPayment",
    order_requests.Pay,
    without=("key", "actor"),
    method=fields.Nested(Method, required=True),
)
PaymentQuery = query("PaymentQuery", requests.ListPayments, without=("key", "actor"))
Refund = body(
    "Refund",
    requests.Refund,
    "Without `amount`, all that is left.",
    without=("payment_id", "key", "actor"),
)
