"""What payments is asked."""

import datetime
from typing import Any

from marshmallow import ValidationError, validates_schema

from chassis.fields import (
    ActorField,
    Currency,
    Key,
    MoneyDue,
    Page,
    Request,
    SingleLine,
    String,
    Text,
    Timestamp,
    Uuid,
)
from contracts.payments.fields import MethodField, ProviderReference

#: The longest time that one reconciliation goes over.
MAX_SPAN = datetime.timedelta(days=31)


class Charge(Request):
    """charge: take `amount` for an order, once per (order_id, key). Mails name the order by
    `order_number`."""

    order_id = Uuid(required=True)
    order_number = SingleLine(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    amount = MoneyDue(required=True)
    currency = Currency(required=True)
    method = MethodField(required=True)
    key = Key(required=True)


class Cancel(Request):
    """cancel: the payment of a cancelled order that waits for its buyer."""

    order_id = Uuid(required=True)
    actor = ActorField()


class Get(Request):
    """get: one payment."""

    payment_id = Uuid(required=True)
    actor = ActorField()


class ListPayments(Page):
    """list: the payments of one order; with `key` the one that was charged under it."""

    order_id = Uuid(required=True)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class Refund(Request):
    """refund: give `amount` (absent: all that is left) back."""

    payment_id = Uuid(required=True)
    amount = MoneyDue(load_default=None, allow_none=True)
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
    reference = ProviderReference(required=True)


class Reconcile(Request):
    """reconcile: compare our ledger with the providers' books over [since, until)."""

    since = Timestamp(required=True)
    until = Timestamp(required=True)
    actor = ActorField()

    @validates_schema(skip_on_field_errors=True)
    def _is_a_month_at_most(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data["since"] < data["until"] <= data["since"] + MAX_SPAN:
            raise ValidationError(f"After since, and at most {MAX_SPAN.days} days.", "until")
