"""The rows of checkouts under way, which make a half-done checkout findable.

    enter      before anything else is done
    complete   the order is there, and the row gone
    abandon    no order will be made; what is reserved is to be given back
    drop       nothing is reserved any more

So whatever a crash leaves is either an order or a row; the row of a key is finished by the repeat
of its request, and any row that stands still is abandoned by `orders.jobs`.
"""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, select, text, update
from sqlalchemy.orm import Session

from chassis import idempotency
from chassis.database import Handle, finds
from chassis.events import outbox
from chassis.idempotency import KeyReused
from chassis.json_rows import as_json, insertion, with_documents
from chassis.tables import changed
from contracts.orders.enums import CheckoutState, Status
from contracts.orders.errors import CartChanged, TooManyOpenOrders, TooManyUnpaidUnits
from orders.checkout.pricing import Basket, Limits
from orders.models import Checkout, Order, OrderLine, OrderTax, TimelineEntry
from orders.terms import store as terms
from orders.terms.rules import NO_TERMS, Terms

#: How long one instance has to give the stock of a checkout back before another one tries.
RELEASE_TIME = datetime.timedelta(seconds=10)

_INSERT = insertion(Checkout.__table__, "checkouts", but={"attempts", "reason", "number"})

# What a key stands for: the order that it has made within the last day, else its open checkout. A
# checkout becomes its order by one statement, so who does not see the one sees the other.
_KNOWN = f"""
    SELECT id AS order_id, fingerprint, NULL AS number, NULL AS basket FROM orders
    WHERE user_id = :user_id AND idempotency_key = :key AND created_at > :since
    UNION ALL
    SELECT order_id, fingerprint, number, basket FROM checkouts
    WHERE user_id = :user_id AND idempotency_key = :key AND state = '{CheckoutState.OPEN}'
    ORDER BY basket NULLS FIRST LIMIT 1
"""  # noqa: S608  (names of ours)
_COUNTRY = "known.basket->'shipping_address'->>'country'"
_FIND = text(
    f"SELECT known.*, {terms.columns(_COUNTRY, ':now')} FROM ({_KNOWN}) AS known"  # noqa: S608
)

# What the key stands for already; how many orders the buyer has not paid or is just placing; of
# which variants they hold too much for this one; and whether the checkout has been entered, which
# takes the key from an order that is older than a day. A buyer's checkouts begin one after the
# other, so that each sees those before it: an advisory lock is held until the transaction ends. The
# lock is a statement of its own, so that the next one reads what the one before has committed; in
# the same message, so that it costs no round trip, and one transaction with it.
_ENTER = with_documents(
    f"""
    SELECT pg_advisory_xact_lock(hashtextextended(CAST(:user_id AS text), 0));
    WITH known AS ({_KNOWN}),
    unpaid AS (
        SELECT id FROM orders WHERE user_id = :user_id AND status = '{Status.PENDING}'
    ),
    begun AS (
        SELECT basket FROM checkouts WHERE user_id = :user_id AND state = '{CheckoutState.OPEN}'
    ),
    held AS (
        SELECT variant_id, quantity FROM order_lines
        WHERE order_id IN (SELECT id FROM unpaid)
        UNION ALL
        SELECT (line->>0)::bigint, (line->>2)::bigint
        FROM begun, jsonb_array_elements(basket->'lines') AS line
    ),
    excess AS (
        SELECT wanted.*, coalesce(sum(held.quantity), 0)::bigint AS unpaid
        FROM jsonb_to_recordset(CAST(:wanted AS jsonb))
            AS wanted (variant_id bigint, requested bigint, "limit" bigint)
        LEFT JOIN held USING (variant_id)
        GROUP BY wanted.variant_id, wanted.requested, wanted."limit"
        HAVING wanted.requested + coalesce(sum(held.quantity), 0) > wanted."limit"
    ),
    counted AS (
        SELECT (SELECT count(*) FROM unpaid) + (SELECT count(*) FROM begun) AS number,
               (SELECT jsonb_agg(excess ORDER BY variant_id) FROM excess) AS lines
    ),
    entered AS (
        {_INSERT} WHERE (SELECT number < :most AND lines IS NULL FROM counted)
        AND NOT EXISTS (SELECT FROM known) RETURNING number
    ),
    freed AS (
        UPDATE orders SET idempotency_key = NULL
        WHERE user_id = :user_id AND idempotency_key = :key AND EXISTS (SELECT FROM entered)
    )
    SELECT counted.number AS unpaid, lines AS excess, entered.number AS entered, known.*,
        {terms.columns(f"coalesce({_COUNTRY}, :country)", ":now")}
    FROM counted LEFT JOIN entered ON true LEFT JOIN known ON true
    """,  # noqa: S608  (names of ours)
    "checkouts", "wanted",
)  # fmt: skip

#: What comes later in an order's life.
_LATER = {"cancel_reason", "payment_id", "hidden_at"}
_COUNTERS = {"cancelled", "shipped", "returning", "returned", "refunded"}
_ORDER_COLUMNS = [column.key for column in Order.__table__.columns if column.key not in _LATER]

_INSERT_ORDER = insertion(Order.__table__, "orders", but=_LATER)
_INSERT_LINES = insertion(OrderLine.__table__, "lines", but=_COUNTERS)
_INSERT_TAXES = insertion(OrderTax.__table__, "taxes")
_INSERT_ENTRIES = insertion(TimelineEntry.__table__, "entries", but={"id"})

# One statement, for each is a round trip, and a checkout is what the shop does most. Whoever else
# wants the checkout waits for its lock, or we for theirs: what is no longer open then makes no
# order. Neither does a cart that has changed; it is locked after the checkout.
_COMPLETE = with_documents(
    f"""
    WITH found AS (
        SELECT order_id FROM checkouts
        WHERE order_id = :order_id AND state = '{CheckoutState.OPEN}' FOR UPDATE
    ),
    emptied AS (
        UPDATE carts SET version = version + 1, updated_at = :now FROM found
        WHERE user_id = :user_id AND version = :cart_version RETURNING user_id
    ),
    removed AS (
        DELETE FROM cart_lines USING emptied WHERE cart_lines.user_id = emptied.user_id
    ),
    taken AS (
        DELETE FROM checkouts USING found WHERE checkouts.order_id = found.order_id
        AND (CAST(:cart_version AS bigint) IS NULL OR EXISTS (SELECT FROM emptied))
        RETURNING checkouts.order_id
    ),
    entered AS ({_INSERT_ORDER} WHERE EXISTS (SELECT FROM taken)),
    listed AS ({_INSERT_LINES} WHERE EXISTS (SELECT FROM taken)),
    taxed AS ({_INSERT_TAXES} WHERE EXISTS (SELECT FROM taken)),
    told AS ({_INSERT_ENTRIES} WHERE EXISTS (SELECT FROM taken)),
    recorded AS ({outbox.RECORDING} WHERE EXISTS (SELECT FROM taken))
    SELECT (SELECT count(*) FROM found) AS found, (SELECT count(*) FROM taken) AS taken
    """,  # noqa: S608  (names of ours)
    "orders", "lines", "taxes", "entries", "events",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """One checkout: the order that it will make, for whom, under which key; once its row is there,
    with its `number`, and the `terms` of this moment where it goes to."""

    order_id: uuid.UUID
    user_id: uuid.UUID
    key: str | None
    fingerprint: str
    basket: Basket
    number: str = ""
    terms: Terms = NO_TERMS


@dataclass(frozen=True, slots=True)
class Placed:
    """The order that a key has made."""

    order_id: uuid.UUID


def find(
    connection: Connection,
    user_id: uuid.UUID,
    key: str | None,
    fingerprint: str,
    now: datetime.datetime,
) -> Attempt | Placed | None:
    """What a key has led to so far; raises `KeyReused` when it came with another request. Without a
    key it is nothing."""
    values = {"user_id": user_id, "key": key, "since": now - idempotency.KEPT, "now": now}
    row = connection.execute(_FIND, values).first()
    return None if row is None else _known(row, user_id, key, fingerprint)


def enter(
    connection: Connection,
    attempt: Attempt,
    now: datetime.datetime,
    due_at: datetime.datetime,
    limits: Limits,
) -> Attempt | Placed:
    """Write the row of a new checkout, or find what its key has led to before.

    Raises `KeyReused` when that was another request, `TooManyOpenOrders` or `TooManyUnpaidUnits`
    when the buyer would hold more than `limits`.
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
            "variant_id": line.variant_id,
            "requested": line.quantity,
            "limit": limits.units[line.variant_id],
        }
        for line in attempt.basket.lines
    ]
    values = {
        "checkouts": as_json([row]),
        "wanted": as_json(wanted),
        "user_id": attempt.user_id,
        "key": attempt.key,
        "since": now - idempotency.KEPT,
        "now": now,
        "country": attempt.basket.shipping_address["country"],
        "most": limits.orders,
    }
    result = connection.execute(_ENTER, values).one()
    if result.order_id is not None:
        return _known(result, attempt.user_id, attempt.key, attempt.fingerprint)
    if result.entered is None and result.unpaid >= limits.orders:
        raise TooManyOpenOrders(limit=limits.orders)
    if result.entered is None:
        raise TooManyUnpaidUnits(lines=result.excess)
    return replace(attempt, number=result.entered, terms=terms.load(result))


def _known(
    row: Row[Any], user_id: uuid.UUID, key: str | None, fingerprint: str
) -> Attempt | Placed:
    if row.fingerprint != fingerprint:
        raise KeyReused(errors={"key": ["Used for another request."]})
    if row.basket is None:
        return Placed(row.order_id)
    basket = Basket.from_json(row.basket)
    return Attempt(row.order_id, user_id, key, fingerprint, basket, row.number, terms.load(row))


def complete(
    connection: Connection,
    order: Order,
    lines: Sequence[Mapping[str, Any]],
    taxes: Sequence[Mapping[str, Any]],
    entries: Sequence[dict[str, Any]],
    event: dict[str, Any],
    cart_version: int | None,
) -> bool:
    """Turn the checkout of `order.id` into that order with its lines, taxes, timeline entries and
    event, and empty the cart that was ordered.

    False when the checkout has been finished or undone; nothing is written then, nor with
    `CartChanged`, when the cart has another version. Who wants the same waits for the outcome.
    """
    documents = {
        "orders": [{name: getattr(order, name) for name in _ORDER_COLUMNS}],
        "lines": lines,
        "taxes": taxes,
        "entries": entries,
        "events": [event],
    }
    values: dict[str, Any] = {
        "order_id": order.id,
        "user_id": order.user_id,
        "cart_version": cart_version,
        "now": order.created_at,
    }
    values |= {name: as_json(rows) for name, rows in documents.items()}
    outcome = connection.execute(_COMPLETE, values).one()
    if outcome.found and not outcome.taken:
        raise CartChanged("The cart was changed during the checkout.")
    return outcome.taken == 1


def abandon(connection: Connection, order_id: uuid.UUID, due_at: datetime.datetime) -> bool:
    """No order will be made of this checkout; False when it is no longer open: it may have become
    an order, whose stock is nobody's to give back.

    What it has reserved is to be given back, by `orders.jobs` when nobody else does.
    """
    mine = (Checkout.order_id == order_id, Checkout.state == CheckoutState.OPEN)
    given_up = {"state": CheckoutState.UNDOING, "due_at": due_at}
    return changed(connection, update(Checkout).where(*mine).values(given_up)) == 1


def drop(connection: Connection, order_id: uuid.UUID) -> None:
    """Forget a checkout: nothing is reserved for it any more."""
    connection.execute(delete(Checkout).where(Checkout.order_id == order_id))


def lock(session: Session, order_id: uuid.UUID) -> Checkout | None:
    """The checkout as it is now, locked until the end of the transaction."""
    return session.get(Checkout, order_id, with_for_update=True, populate_existing=True)


def abandon_locked(checkout: Checkout, now: datetime.datetime) -> None:
    """Abandon a checkout that is locked; the caller has `RELEASE_TIME` to give its stock back."""
    checkout.state = CheckoutState.UNDOING
    checkout.due_at = now + RELEASE_TIME
    checkout.attempts += 1


def note_failure(connection: Connection, order_id: uuid.UUID, reason: str) -> None:
    """Keep why the stock of a checkout could not be given back this time."""
    connection.execute(update(Checkout).where(Checkout.order_id == order_id).values(reason=reason))


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


def free_keys(session: Session, now: datetime.datetime) -> int:
    """Free the keys of orders that are a day old, so many at a time; how many were freed."""
    old = (
        select(Order.id)
        .where(Order.idempotency_key.is_not(None), Order.created_at <= now - idempotency.KEPT)
        .order_by(Order.created_at)
        .limit(idempotency.BATCH)
        .with_for_update(skip_locked=True)
    )
    return changed(session, update(Order).where(Order.id.in_(old)).values(idempotency_key=None))
