"""What payments answers."""

from marshmallow import fields

from chassis.fields import Answer, Choice, Currency, Money, Timestamp, Uuid, keyed, page_of
from contracts.payments.enums import Problem, ProviderName, Status


class Payment(Answer):
    id = Uuid(required=True)
    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    provider = Choice(ProviderName, required=True)
    status = Choice(Status, required=True)
    amount = Money(required=True)
    refunded = Money(required=True)
    currency = Currency(required=True)
    action_url = fields.String(required=True, allow_none=True)
    failure_code = fields.String(required=True, allow_none=True)
    test_mode = fields.Boolean(
        required=True, metadata={"description": "No real money: the simulator, or a test key."}
    )
    created_at = Timestamp(required=True)


class Cancelled(Answer):
    """`done`: no payment of the order is open any more."""

    done = fields.Boolean(required=True)


class Outcome(Answer):
    """What became of a payment by now."""

    order_id = Uuid(required=True)
    payment_id = Uuid(required=True)
    status = Choice(Status, required=True)


class Sum(Answer):
    """So much of a currency; a provider's may have other places than it."""

    amount = fields.Decimal(required=True, as_string=True)
    currency = Currency(required=True)


class Finding(Answer):
    """Something wrong between the books, and what to do about it."""

    problem = Choice(Problem, required=True)
    provider = Choice(ProviderName, required=True)
    reference = fields.String(required=True, allow_none=True)
    charge = fields.String(required=True, allow_none=True)
    payment_id = Uuid(required=True, allow_none=True)
    order_id = Uuid(required=True, allow_none=True)
    refund_id = Uuid(required=True, allow_none=True)
    ours = fields.Nested(Sum, required=True, allow_none=True)
    theirs = fields.Nested(Sum, required=True, allow_none=True)
    advice = fields.String(required=True)


class Report(Answer):
    """What came of a reconciliation; `more` findings than are listed."""

    since = Timestamp(required=True)
    until = Timestamp(required=True)
    movements = fields.Integer(required=True)
    findings = fields.List(fields.Nested(Finding), required=True)
    more = fields.Integer(required=True)


PaymentPage = page_of(Payment)
KeyedPayment = keyed(Payment)
