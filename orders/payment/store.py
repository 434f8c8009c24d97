"""The rows of paying, where one statement is enough."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from chassis.events import outbox
from chassis.json_rows import as_json, insertion, with_documents
from contracts.orders.enums import PaymentStatus, Status
from orders.models import Order, TimelineEntry
from orders.payment.refunds import Payment

# The lock is a statement of its own, so that the next one reads what the one before has committed,
# refunds too; in the same message, so that it costs no round trip, and one transaction with it.
_CONCLUDE = with_documents(
    f"""
    SELECT FROM orders WHERE id = :order_id FOR UPDATE;
    WITH paid AS (
        UPDATE orders SET status = '{Status.PROCESSING}', payment_status = '{PaymentStatus.PAID}',
            payment_id = :payment_id, paying_since = NULL, recheck_at = NULL,
            version = version + 1, updated_at = :now
        WHERE id = :order_id AND version = :version AND status = '{Status.PENDING}'
            AND coalesce(payment_id, :payment_id) = :payment_id
            AND NOT EXISTS (SELECT FROM receipts WHERE payment_id = :payment_id)
        RETURNING id
    ),
    told AS (
        {insertion(TimelineEntry.__table__, "entries", but={"id"})}
        WHERE EXISTS (SELECT FROM paid)
    ),
    recorded AS ({outbox.RECORDING} WHERE EXISTS (SELECT FROM paid))
    SELECT id FROM paid
    """,  # noqa: S608  (names of ours)
    "entries", "events",
)  # fmt: skip


def conclude(
    connection: Connection,
    order: Order,
    payment: Payment,
    entries: Sequence[Mapping[str, Any]],
    event: Mapping[str, Any],
    now: datetime.datetime,
) -> bool:
    """Mark an order as paid and in process, with its timeline entries and event. False, and nothing
    is written, when it is not the pending `order` any more, or some of the money has gone back."""
    values = {
        "order_id": order.id,
        "version": order.version,
        "payment_id": payment.id,
        "now": now,
        "entries": as_json(entries),
        "events": as_json([event]),
    }
    return connection.scalar(_CONCLUDE, values) is not None
