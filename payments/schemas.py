"""What the payments service takes, answers and publishes, and what it needs of others' events."""

import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from chassis import currencies, staff
from chassis.fields import (
    ActorField,
    Choice,
    Currency,
    Expected,
    Key,
    Money,
    Page,
    Request,
    SingleLine,
    String,
    Text,
    Timestamp,
    Uuid,
)
from payments.charges import methods
from payments.charges.lifecycle import Status
from payments.reconciliation.comparison import ADVICE

#: The longest time that one reconciliation goes over.
MAX_SPAN = datetime.timedelta(days=31)

_STATUSES = [status.value for status in Status]


class MethodField(fields.Field):
    """A payment method (`payments.charges.methods`); card numbers are refused."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> methods.Method:
        try:
            return methods.parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Charge(Request):
    """charge: take `amount` for an order, once per (order_id, key). Mails name the order by
    `order_number`."""

    order_id = Uuid(required=True)
    order_number = SingleLine(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    amount = Money(required=True, min="0.01")
    currency = Currency(load_default="EUR")
    method = MethodField(required=True)
    key = Key(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _has_such_coins(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not currencies.fits(data["amount"], data["currency"]):
            raise ValidationError("The currency has no such coins.", "amount")


class Cancel(Request):
    """cancel: the payment of an order that waits, for the order is cancelled."""

    order_id = Uuid(required=True)
    actor = ActorField()


class Get(Request):
    """get: one payment."""

    payment_id = Uuid(required=True)
    actor = ActorField()


class List(Page):
    """list: the payments of one order; with `key` the one that was charged under it."""

    order_id = Uuid(required=True)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class Refund(Request):
    """refund: give `amount` (absent: all that is left) back."""

    payment_id = Uuid(required=True)
    amount = Money(min="0.01", load_default=None, allow_none=True)
    reason = Text(required=True, max=500)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class Webhook(Request):
    """webhook: the body as it came, for the signature is over its bytes."""

    provider = SingleLine(required=True, max=50)
    body = String(max=262_144, required=True)
    signature = String(max=2000, load_default=None, allow_none=True)


class Returned(Request):
    """returned: `reference` is what the provider's page sent the buyer back with."""

    provider = SingleLine(required=True, max=50)
    reference = String(max=200, required=True, validate=validate.Regexp(r"[A-Za-z0-9_]{10,200}\Z"))


class ReturnedPayment(Schema):
    """What a buyer who comes back may see without signing in."""

    order_id = Uuid(required=True)
    payment_id = Uuid(attribute="id", required=True)
    status = Choice(_STATUSES, required=True)


class Payment(Schema):
    """A payment, as answered."""

    id = Uuid(required=True)
    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    provider = fields.String(required=True)
    status = Choice(_STATUSES, required=True)
    amount = Money(required=True)
    refunded = Money(required=True)
    currency = Currency(required=True)
    action_url = fields.String(required=True, allow_none=True)
    failure_code = fields.String(required=True, allow_none=True)
    test_mode = fields.Boolean(required=True)
    created_at = Timestamp(required=True)


class Reconcile(Request):
    """reconcile: compare our ledger with the providers' books over [since, until)."""

    since = Timestamp(required=True)
    until = Timestamp(required=True)
    actor = ActorField()

    @validates_schema(skip_on_field_errors=True)
    def _is_a_month_at_most(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data["since"] < data["until"] <= data["since"] + MAX_SPAN:
            raise ValidationError(f"After since, and at most {MAX_SPAN.days} days.", "until")


class Sum(Schema):
    """So much of a currency; a provider's may have other than two places."""

    amount = fields.Decimal(required=True, as_string=True)
    currency = Currency(required=True)


class Finding(Schema):
    """Something wrong between the books, and what to do about it."""

    problem = fields.String(required=True, validate=validate.OneOf(list(ADVICE)))
    provider = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    charge = fields.String(required=True, allow_none=True)
    payment_id = Uuid(required=True, allow_none=True)
    order_id = Uuid(required=True, allow_none=True)
    refund_id = Uuid(required=True, allow_none=True)
    ours = fields.Nested(Sum, required=True, allow_none=True)
    theirs = fields.Nested(Sum, required=True, allow_none=True)
    advice = fields.String(required=True)


class Report(Schema):
    """What came of a reconciliation; `more` findings than are listed."""

    since = Timestamp(required=True)
    until = Timestamp(required=True)
    movements = fields.Integer(required=True)
    findings = fields.List(fields.Nested(Finding), required=True)
    more = fields.Integer(required=True)


class PaymentSucceeded(Schema):
    """payment_succeeded: the whole amount was taken."""

    payment_id = Uuid(required=True)
    order_id = Uuid(required=True)
    order_number = fields.String(required=True, allow_none=True)
    user_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)


class PaymentFailed(PaymentSucceeded):
    """payment_failed: nothing was taken, or all that was is on its way back."""

    failure_code = fields.String(required=True, allow_none=True)


class PaymentCancelled(PaymentFailed):
    """payment_cancelled: nothing was taken; `failure_code`: `replaced` by another means, or
    `order_cancelled`."""


class PaymentRefunded(PaymentSucceeded):
    """payment_refunded: `amount` was given back, `refunded_total` so far; `full`: all of it.
    `reason`: a word of ours, none where staff has given it back."""

    refunded_total = Money(required=True)
    full = fields.Boolean(required=True)
    reason = fields.String(required=True, allow_none=True)


EVENTS = {
    "payment_succeeded": PaymentSucceeded,
    "payment_failed": PaymentFailed,
    "payment_cancelled": PaymentCancelled,
    "payment_refunded": PaymentRefunded,
    **staff.EVENTS,
}


class RefundDue(Expected):
    """What we need of orders.refund_due: an order has to get up to `amount` back."""

    order_id = Uuid(required=True)
    payment_id = Uuid(load_default=None, allow_none=True)
    amount = Money(required=True, min="0.01")
    currency = Currency(required=True)
    reason = Text(required=True, max=500)
