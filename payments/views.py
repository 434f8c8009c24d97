"""A payment as it is shown."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from payments.models import Payment

#: A payment as it is shown, by the keys of `SHOWN`.
PaymentView = Mapping[Any, Any]

#: What is shown and told, and what it takes to ask the provider; the rest of the row is ours.
SHOWN = (
    Payment.id,
    Payment.order_id,
    Payment.order_number,
    Payment.user_id,
    Payment.provider,
    Payment.provider_reference,
    Payment.status,
    Payment.amount,
    Payment.refunded,
    Payment.currency,
    Payment.action_url,
    Payment.failure_code,
    Payment.test_mode,
    Payment.cancel_reason,
    Payment.created_at,
)


def shown(payment: Payment) -> PaymentView:
    """A payment that outlives its session."""
    return {column.key: getattr(payment, column.key) for column in SHOWN}


def view_of(connection: Connection, payment_id: uuid.UUID) -> PaymentView:
    """A payment as it is by now."""
    return connection.execute(select(*SHOWN).where(Payment.id == payment_id)).mappings().one()
