"""Checkouts under way: the rows that make a half-done checkout findable.

A row is written before anything is reserved and goes with the transaction that makes the order. So
whatever a crash leaves is either an order or a row; the row of a key is finished by the repeat of
its request, and any row that stands still is undone by `orders.jobs`.
"""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.orm import Session

from chassis import idempotency
from chassis.idempotency import KeyReused
from chassis.json_rows import as_json, insertion, with_documents
from contracts.orders.enums import Status
from contracts.orders.errors import TooManyOpenOrders, TooManyUnpaidUnits
from orders.checkout import pricing
from orders.checkout.pricing import Line
from orders.models import Checkout, Order

OPEN, UNDOING = "open", "undoing"

_CHECKOUTS = Checkout.__table__
_THIS = _CHECKOUTS.c.order_id == bindparam("id")

_ENTER = insertion(_CHECKOUTS, "checkouts", but={"attempts", "reason", "number"})

# How many orders the buyer has not paid or is just placing, of which products they hold too much
# for this one, and whether the checkout has been entered. A buyer's checkouts begin one after the
# other, so that each counts those before it: an advisory lock is held until the transaction ends.
# The lock is a statement of its own, so that the next one reads what the one before has committed;
# in the same message, so that it costs no round trip.
_BEGIN = with_documents(
    f"""
    SELECT pg_advisory_xact_lock(hashtextextended(CAST(:user_id AS text), 0));
    WITH unpaid AS (
        SELECT id FROM orders WHERE user_id = :user_id AND status = '{Status.PENDING}'
    ),
    begun AS (
        SELECT basket FROM checkouts WHERE user_id = :user_id AND state = '{OPEN}'
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
        {_ENTER} WHERE (SELECT number < :most AND lines IS NULL FROM counted)
        ON CONFLICT DO NOTHING RETURNING number
    )
    SELECT number, lines, (SELECT number FROM entered) FROM counted
    """,  # noqa: S608  (names of ours)
    "checkouts", "wanted",
)  # fmt: skip
_DROP = delete(_CHECKOUTS).where(_THIS)


@dataclass(frozen=True, slots=True)
class Basket:
    """What an order will be made of; `cart_version` is that of the cart it was taken from."""

    lines: tuple[Line, ...]
    currency: str
    shipping_address: dict[str, Any]
    expires_at: datetime.datetime
    cart_version: int | None = None

    @property
    def total(self) -> Decimal:
        return pricing.total(self.lines)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a checkout's row."""
        return {
            "lines": [
                [line.product_id, line.name, line.quantity, str(line.unit_price)]
                for line in self.lines
            ],
            "currency": self.currency,
            "shipping_address": self.shipping_address,
            "expires_at": self.expires_at.isoformat(),
            "cart_version": self.cart_version,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Basket":
        """What `to_json` gave."""
        return cls(
            tuple(
                Line(product_id, name, quantity, Decimal(price))
                for product_id, name, quantity, price in kept["lines"]
            ),
            kept["currency"],
            kept["shipping_address"],
            datetime.datetime.fromisoformat(kept["expires_at"]),
            kept["cart_version"],
        )


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
class Bounds:
    """What a buyer may hold without paying: so many orders, and of each product so many units."""

    orders: int
    units: Mapping[int, int]


def bounds(settings: Mapping[str, Any], available: Mapping[int, int]) -> Bounds:
    """By the shop's settings, when so many of each product are available: a share of a large stock,
    and a few units of anything."""
    least, percent = settings["max_unpaid_units"], settings["max_unpaid_percent"]
    units = {one: max(least, number * percent // 100) for one, number in available.items()}
    return Bounds(settings["max_open_orders"], units)


@dataclass(frozen=True, slots=True)
class Placed:
    """The order that a key has made."""

    order_id: uuid.UUID


def earlier(
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
    mine = (Checkout.user_id == user_id, Checkout.idempotency_key == key, Checkout.state == OPEN)
    row = connection.execute(select(Checkout.__table__).where(*mine)).mappings().first()
    if row is not None:
        _check_fingerprint(row["fingerprint"], fingerprint)
        basket = Basket.from_json(row["basket"])
        return Attempt(row["order_id"], user_id, key, fingerprint, basket, row["number"])
    return _placed(connection, user_id, key, fingerprint, now)


def begin(
    session: Session | Connection,
    attempt: Attempt,
    now: datetime.datetime,
    due_at: datetime.datetime,
    bounds: Bounds,
) -> Attempt | Placed:
    """Write the row of a new checkout; another's when its key was faster.

    Raises `TooManyOpenOrders` or `TooManyUnpaidUnits` when the buyer would hold more than `bounds`.
    Waits for a transaction that is just turning a checkout of that key into its order.
    """
    row = {
        "order_id": attempt.order_id,
        "user_id": attempt.user_id,
        "idempotency_key": attempt.key,
        "fingerprint": attempt.fingerprint,
        "basket": attempt.basket.to_json(),
        "state": OPEN,
        "started_at": now,
        "due_at": due_at,
    }
    wanted = [
        {
            "product_id": line.product_id,
            "requested": line.quantity,
            "limit": bounds.units[line.product_id],
        }
        for line in attempt.basket.lines
    ]
    asked = {"checkouts": as_json([row]), "wanted": as_json(wanted)}
    asked |= {"user_id": attempt.user_id, "most": bounds.orders}
    unpaid, over, number = session.execute(_BEGIN, asked).one()
    identity = (attempt.user_id, attempt.key, attempt.fingerprint, now)
    if number is None:
        rival = None if attempt.key is None else earlier(session, *identity)
        if rival is None and unpaid >= bounds.orders:
            raise TooManyOpenOrders(limit=bounds.orders)
        if rival is None and over:
            raise TooManyUnpaidUnits(lines=over)
        # A rival that was faster and has given up by now: this one starts over.
        return rival or begin(session, attempt, now, due_at, bounds)
    attempt = replace(attempt, number=number)
    if attempt.key is None:
        return attempt
    placed = _placed(session, *identity)
    if placed is not None:
        drop(session, attempt.order_id)
    else:
        forget_keys(session, now, attempt.user_id, attempt.key)
    return placed or attempt


def abandon(session: Session, order_id: uuid.UUID, due_at: datetime.datetime) -> bool:
    """No order will be made of this checkout; False when it is too late for that.

    What it has reserved is to be given back, by `orders.jobs` when nobody else does.
    """
    mine = (Checkout.order_id == order_id, Checkout.state == OPEN)
    change = update(Checkout).where(*mine).values(state=UNDOING, due_at=due_at)
    return session.execute(change).rowcount == 1


def drop(session: Session, order_id: uuid.UUID) -> None:
    """Forget a checkout: its order is made, or nothing is reserved for it any more."""
    session.execute(_DROP, {"id": order_id})


def lock(session: Session, order_id: uuid.UUID) -> Checkout | None:
    """The checkout as it is now, locked until the end of the transaction."""
    return session.get(Checkout, order_id, with_for_update=True, populate_existing=True)


def take(session: Session, checkout: Checkout, again_at: datetime.datetime) -> None:
    """Abandon a locked checkout; who took it has until `again_at` to give its stock back."""
    checkout.state = UNDOING
    checkout.due_at = again_at
    checkout.attempts += 1


def note_failure(session: Session, order_id: uuid.UUID, reason: str) -> None:
    """Keep why a checkout could not be undone this time."""
    session.execute(update(Checkout).where(Checkout.order_id == order_id).values(reason=reason))


def take_stale(
    session: Session, now: datetime.datetime, again_at: datetime.datetime, limit: int
) -> list[uuid.UUID]:
    """Abandon the checkouts that stand still; the ids of all whose stock is to be given back.

    Instances share them: each takes those that no other holds, and has until `again_at`.
    """
    due = (
        select(Checkout)
        .where(Checkout.due_at <= now)
        .order_by(Checkout.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    checkouts = session.scalars(due).all()
    for checkout in checkouts:
        take(session, checkout, again_at)
    return [checkout.order_id for checkout in checkouts]


def forget_keys(
    session: Session,
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
    return session.execute(change).rowcount


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
