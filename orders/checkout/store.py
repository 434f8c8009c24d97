"""The rows of checkouts under way, which make a half-done checkout findable.

    enter      before anything is reserved
    complete   the order is there, and the row gone
    abandon    no order will be made; what is reserved is to be given back
    drop       nothing is reserved any more

So whatever a crash leaves is either an order or a row; the row of a key is finished by the repeat
of its request, and any row that stands still is abandoned by `orders.jobs`.
"""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.orm import Session

from chassis import idempotency
from chassis.database import Handle, finds
from chassis.events import outbox
from chassis.idempotency import KeyReused
from chassis.json_rows import as_json, insertion, with_documents
from chassis.tables import changed
from contracts.orders.enums import CheckoutState, Status
from contracts.orders.errors import TooManyOpenOrders, TooManyUnpaidUnits
from orders.checkout.pricing import Basket, Limits
from orders.lines import Line
from orders.models import Checkout, Order, OrderLine, TimelineEntry

#: How long one instance has to give the stock of a checkout back before another one tries.
RELEASE_TIME = datetime.timedelta(seconds=10)

_CHECKOUTS = Checkout.__table__
_THIS = _CHECKOUTS.c.order_id == bindparam("id")

_INSERT = insertion(_CHECKOUTS, "checkouts", but={"attempts", "reason", "number"})

# How many orders the buyer has not paid or is just placing, of which products they hold too much
# for this one, and whether the checkout has been entered. A buyer's checkouts begin one after the
# other, so that each counts those before it: an advisory lock is held until the transaction ends.
# The lock is a statement of its own, so that the next one reads what the one before has committed;
# in the same message, so that it costs no round trip.
_ENTER = with_documents(
    f"""
    SELECT pg_advisory_xact_lock(hashtextextended(CAST(:user_id AS text), 0));
    WITH unpaid AS (
        SELECT id FROM orders WHERE user_id = :user_id AND status = '{Status.PENDING}'
    ),
    begun AS (
        SELECT basket FROM checkouts WHERE user_id = :user_id AND state = '{CheckoutState.OPEN}'
    ),
    held AS (
        SELECT product_id, quantity FROM order_lines WHERE order_id IN (SELECT id FROM unpaid)
        UNION ALL
        SELECT (line->>0)::bigint, (line->>2)::bigint
        FROM begun, jsonb_array_elements(basket->'lines') AS line
    ),
    excess AS (
        SELECT wanted.*, coalesce(sum(held.quantity), 0)::bigint AS unpaid
        FROM jsonb_to_recordset(CAST(:wanted AS jsonb))
            AS wanted (product_id bigint, requested bigint, "limit" bigint)
        LEFT JOIN held USING (product_id)
        GROUP BY wanted.product_id, wanted.requested, wanted."limit"
        HAVING wanted.requested + coalesce(sum(held.quantity), 0) > wanted."limit"
    ),
    counted AS (
        SELECT (SELECT count(*) FROM unpaid) + (SELECT count(*) FROM begun) AS number,
               (SELECT jsonb_agg(excess ORDER BY product_id) FROM excess) AS lines
    ),
    entered AS (
        {_INSERT} WHERE (SELECT number < :most AND lines IS NULL FROM counted)
        ON CONFLICT DO NOTHING RETURNING number
    )
    SELECT number, lines, (SELECT number FROM entered) FROM counted
    """,  # noqa: S608  (names of ours)
    "checkouts", "wanted",
)  # fmt: skip

#: What comes later in an order's life.
_LATER = {"cancel_reason", "payment_id", "hidden_at"}
_ORDER_COLUMNS = [column.key for column in Order.__table__.columns if column.key not in _LATER]

_INSERT_ORDER = insertion(Order.__table__, "orders", but=_LATER)
_INSERT_LINES = insertion(OrderLine.__table__, "lines")
_INSERT_ENTRIES = insertion(TimelineEntry.__table__, "entries", but={"id"})

# One statement, for each is a round trip, and a checkout is what the shop does most. Whoever else
# wants the checkout waits for the lock of the DELETE, or we for theirs: what is no longer open then
# makes no order.
_COMPLETE = with_documents(
    f"""
    WITH taken AS (
        DELETE FROM checkouts WHERE order_id = :order_id AND state = '{CheckoutState.OPEN}'
        RETURNING order_id
    ),
    entered AS ({_INSERT_ORDER} WHERE EXISTS (SELECT FROM taken)),
    listed AS ({_INSERT_LINES} WHERE EXISTS (SELECT FROM taken)),
    told AS ({_INSERT_ENTRIES} WHERE EXISTS (SELECT FROM taken)),
    recorded AS ({outbox.RECORDING} WHERE EXISTS (SELECT FROM taken))
    SELECT count(*) FROM taken
    """,  # noqa: S608  (names of ours)
    "orders", "lines", "entries", "events",
)  # fmt: skip

_DROP = delete(_CHECKOUTS).where(_THIS)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One checkout: the order that it will make, for whom, under which key; `number` once its row
    is there."""

    order_id: uuid.UUID
    user_id: uuid.UUID
    key: str | None
    fingerprint: str
    basket: Basket
    number: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """The order that a key has made."""

    order_id: uuid.UUID


def find(
    connection: Connection | Session,
    user_id: uuid.UUID,
    key: str,
    fingerprint: str,
    now: datetime.datetime,
) -> Attempt | Placed | None:
    """What a key has led to so far.

    Raises `KeyReused` when it came with another request. Checkouts are looked at before orders: one
    that becomes an order between the two is then seen as an order.
    """
    mine = (
        Checkout.user_id == user_id,
        Checkout.idempotency_key == key,
        Checkout.state == CheckoutState.OPEN,
    )
    row = connection.execute(select(Checkout.__table__).where(*mine)).mappings().first()
    if row is not None:
        _check_fingerprint(row["fingerprint"], fingerprint)
        basket = Basket.from_json(row["basket"])
        return Attempt(row["order_id"], user_id, key, fingerprint, basket, row["number"])
    return _placed(connection, user_id, key, fingerprint, now)


def enter(
    session: Session | Connection,
    attempt: Attempt,
    now: datetime.datetime,
    due_at: datetime.datetime,
    limits: Limits,
) -> Attempt | Placed:
    """Write the row of a new checkout; another's when its key was faster.

    Raises `TooManyOpenOrders` or `TooManyUnpaidUnits` when the buyer would hold more than `limits`.
    Waits for a transaction that is just turning a checkout of that key into its order.
    """
    row = {
        "order_id": attempt.order_id,
        "user_id": attempt.user_id,
        "idempotency_key": attempt.key,
        "fingerprint": attempt.fingerprint,
        "basket": attempt.basket.to_json(),
        "state": CheckoutState.OPEN,
        "started_at": now,
        "due_at": due_at,
    }
    wanted = [
        {
            "product_id": line.product_id,
            "requested": line.quantity,
            "limit": limits.units[line.product_id],
        }
        for line in attempt.basket.lines
    ]
    values = {
        "checkouts": as_json([row]),
        "wanted": as_json(wanted),
        "user_id": attempt.user_id,
        "most": limits.orders,
    }
    unpaid, over, number = session.execute(_ENTER, values).one()
    key = attempt.key
    if number is None:
        rival = None
        if key is not None:
            rival = find(session, attempt.user_id, key, attempt.fingerprint, now)
        if rival is None and unpaid >= limits.orders:
            raise TooManyOpenOrders(limit=limits.orders)
        if rival is None and over:
            raise TooManyUnpaidUnits(lines=over)
        # A rival that was faster and has given up by now: this one starts over.
        return rival or enter(session, attempt, now, due_at, limits)
    attempt = replace(attempt, number=number)
    if key is None:
        return attempt
    placed = _placed(session, attempt.user_id, key, attempt.fingerprint, now)
    if placed is not None:
        drop(session, attempt.order_id)
    else:
        free_keys(session, now, attempt.user_id, key)
    return placed or attempt


def complete(
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
        "orders": [{name: getattr(order, name) for name in _ORDER_COLUMNS}],
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
    placed = connection.execute(_COMPLETE, {"order_id": order.id} | values)
    return placed.scalar_one() == 1


def abandon(session: Session, order_id: uuid.UUID, due_at: datetime.datetime) -> bool:
    """No order will be made of this checkout; False when it is too late for that.

    What it has reserved is to be given back, by `orders.jobs` when nobody else does.
    """
    mine = (Checkout.order_id == order_id, Checkout.state == CheckoutState.OPEN)
    change = update(Checkout).where(*mine).values(state=CheckoutState.UNDOING, due_at=due_at)
    return changed(session, change) == 1


def drop(session: Session | Connection, order_id: uuid.UUID) -> None:
    """Forget a checkout: its order is made, or nothing is reserved for it any more."""
    session.execute(_DROP, {"id": order_id})


def lock(session: Session, order_id: uuid.UUID) -> Checkout | None:
    """The checkout as it is now, locked until the end of the transaction."""
    return session.get(Checkout, order_id, with_for_update=True, populate_existing=True)


def abandon_locked(checkout: Checkout, now: datetime.datetime) -> None:
    """Abandon a checkout that is locked; the caller has `RELEASE_TIME` to give its stock back."""
    checkout.state = CheckoutState.UNDOING
    checkout.due_at = now + RELEASE_TIME
    checkout.attempts += 1


def note_failure(session: Session, order_id: uuid.UUID, reason: str) -> None:
    """Keep why the stock of a checkout could not be given back this time."""
    session.execute(update(Checkout).where(Checkout.order_id == order_id).values(reason=reason))


def abandon_stale(db: Handle, now: datetime.datetime, limit: int) -> list[uuid.UUID]:
    """Abandon the checkouts that stand still; the ids of all whose stock is to be given back.

    Instances share them: each takes those that no other holds, and has `RELEASE_TIME`.
    """
    due = (
        select(Checkout)
        .where(Checkout.due_at <= now)
        .order_by(Checkout.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if not finds(db, due):
        return []
    with db.begin() as session:
        checkouts = session.scalars(due).all()
        for checkout in checkouts:
            abandon_locked(checkout, now)
    return [checkout.order_id for checkout in checkouts]


def free_keys(
    session: Session | Connection,
    now: datetime.datetime,
    user_id: uuid.UUID | None = None,
    key: str | None = None,
) -> int:
    """Free the keys of orders that are a day old, so many at a time; how many were freed.

    With `user_id` and `key` only that one, which is about to be used again.
    """
    old = select(Order.id).where(
        Order.idempotency_key.is_not(None), Order.created_at <= now - idempotency.KEPT
    )
    if key is None:
        old = old.order_by(Order.created_at).limit(idempotency.BATCH)
        old = old.with_for_update(skip_locked=True)
    else:
        old = old.where(Order.user_id == user_id, Order.idempotency_key == key)
    change = update(Order).where(Order.id.in_(old)).values(idempotency_key=None)
    return changed(session, change)


def _placed(
    connection: Connection | Session,
    user_id: uuid.UUID,
    key: str,
    fingerprint: str,
    now: datetime.datetime,
) -> Placed | None:
    mine = (
        Order.user_id == user_id,
        Order.idempotency_key == key,
        Order.created_at > now - idempotency.KEPT,
    )
    row = connection.execute(select(Order.id, Order.fingerprint).where(*mine)).first()
    if row is None:
        return None
    _check_fingerprint(row.fingerprint, fingerprint)
    return Placed(row.id)


def _check_fingerprint(kept: str, sent: str) -> None:
    if kept != sent:
        raise KeyReused(errors={"key": ["Used for another request."]})
