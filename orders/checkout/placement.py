"""The last step of a checkout, in one statement: its row goes, and the order is there.

A checkout is what the shop does most, and each statement of it costs a round trip. All of this is
one in any case: either everything is written or nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from chassis.events import outbox
from chassis.json_rows import as_json, insertion, with_documents
from orders.checkout.pricing import Line
from orders.checkout.store import OPEN
from orders.models import Order, OrderLine, TimelineEntry

#: What comes later in an order's life.
_LATER = {"cancel_reason", "payment_id", "hidden_at"}
_ENTERED = [column.key for column in Order.__table__.columns if column.key not in _LATER]

_ENTER = insertion(Order.__table__, "orders", but=_LATER)
_ENTER_LINES = insertion(OrderLine.__table__, "lines")
_TELL = insertion(TimelineEntry.__table__, "entries", but={"id"})

# Whoever else wants the checkout waits for the lock of the DELETE, or we for theirs: what is no
# longer open then makes no order.
_PLACE = with_documents(
    f"""
    WITH taken AS (
        DELETE FROM checkouts WHERE order_id = :order_id AND state = '{OPEN}' RETURNING order_id
    ),
    entered AS ({_ENTER} WHERE EXISTS (SELECT FROM taken)),
    listed AS ({_ENTER_LINES} WHERE EXISTS (SELECT FROM taken)),
    told AS ({_TELL} WHERE EXISTS (SELECT FROM taken)),
    recorded AS ({outbox.RECORDING} WHERE EXISTS (SELECT FROM taken))
    SELECT count(*) FROM taken
    """,  # noqa: S608  (names of ours)
    "orders", "lines", "entries", "events",
)  # fmt: skip


def place(
    connection: Connection | Session,
    order: Order,
    lines: Sequence[Line],
    entries: Sequence[dict[str, Any]],
    event: dict[str, Any],
) -> bool:
    """Turn the checkout of `order.id` into that order with its lines, timeline entries and event.

    False when the checkout has been finished or undone; nothing is written then. Who wants the same
    waits for the outcome.
    """
    documents = {
        "orders": [{name: getattr(order, name) for name in _ENTERED}],
        "lines": [
            {
                "order_id": order.id,
                "product_id": line.product_id,
                "position": position,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            }
            for position, line in enumerate(lines)
        ],
        "entries": entries,
        "events": [event],
    }
    values = {name: as_json(rows) for name, rows in documents.items()}
    placed = connection.execute(_PLACE, {"order_id": order.id} | values)
    return placed.scalar_one() == 1
