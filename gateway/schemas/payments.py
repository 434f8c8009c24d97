"""Payments and refunds."""

import re

from marshmallow import ValidationError, fields, validate

from chassis.fields import Currency, Money, Page, Request, Text, Timestamp, Uuid
from gateway.schemas import common

_STATUSES = (
    "pending",
    "requires_action",
    "succeeded",
    "failed",
    "partially_refunded",
    "refunded",
)
_TOKEN = re.compile(r"[a-z]{2,10}_[A-Za-z0-9_]{1,190}")
#: As many digits as cards have, in a row or in groups.
_CARD_NUMBER = re.compile(r"\d(?:_*\d){12,18}")


def _is_token(value: str) -> None:
    """Refuse a card number before it goes any further; the message does not repeat it."""
    if not _TOKEN.fullmatch(value) or _CARD_NUMBER.search(value):
        raise ValidationError("Send the provider's token, never a card number.")


class Method(Request):
    """`{"type": "card", "token": "tok_visa"}`."""

    type = fields.String(required=True, validate=validate.OneOf(["card"]))
    token = fields.String(
        required=True,
        validate=_is_token,
        metadata={
            "pattern": rf"^(?!.*\d(?:_*\d){{12}}){_TOKEN.pattern}$",
            "description": "Of the payment provider; card numbers are refused.",
            "maxLength": 201,
        },
    )


class NewPayment(Request):
    order_id = Uuid(required=True)
    method = fields.Nested(Method, required=True)


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
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    amount = fields.Decimal(required=True)
    refunded = fields.Decimal(required=True)
    currency = Currency(required=True)
    action_url = fields.String(required=True, allow_none=True)
    failure_code = fields.String(required=True, allow_none=True)
    created_at = Timestamp(required=True)


PaymentPage = common.page_of(Payment)
