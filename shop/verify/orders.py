"""The books of orders, against those of inventory."""

from collections.abc import Iterator

from shop.verify.books import Books
from shop.verify.violation import Violation

#: States in which goods and money have changed hands.
SOLD = ("processing", "partially_shipped", "shipped", "delivered")

_ORDERED = """
    SELECT id, status, string_agg(variant_id || 'x' || (quantity - cancelled), ','
        ORDER BY variant_id) FILTER (WHERE cancelled < quantity) AS lines
    FROM orders LEFT JOIN order_lines ON order_id = id
    GROUP BY id, status
"""
_COMMITTED = """
    SELECT order_id, string_agg(variant_id || 'x' || units, ',' ORDER BY variant_id) AS lines
    FROM (
        SELECT order_id, variant_id, sum(quantity - cancelled) AS units
        FROM reservations JOIN reservation_lines USING (order_id)
        WHERE state = 'committed' GROUP BY order_id, variant_id
    ) AS line
    WHERE units > 0 GROUP BY order_id
"""
#: What the database does not hold by itself: `net + tax = total` and the like are constraints.
_TOTALS = """
    SELECT id, name, amount, sum FROM (
        SELECT order_id, sum(quantity * unit_price) AS subtotal, sum(discount) AS discount,
            sum(net) AS net, sum(tax) AS tax
        FROM order_lines GROUP BY order_id
    ) AS parts RIGHT JOIN orders ON order_id = id,
    LATERAL (VALUES
        ('subtotal', orders.subtotal, parts.subtotal),
        ('discount', orders.discount, parts.discount),
        ('net', orders.net, parts.net + shipping
            - CASE WHEN prices_include_tax THEN shipping_tax ELSE 0 END),
        ('tax', orders.tax, parts.tax + shipping_tax)
    ) AS compared (name, amount, sum)
    WHERE amount IS DISTINCT FROM sum
"""
_KEYS = """
    SELECT user_id, idempotency_key, count(*) AS made FROM orders
    WHERE idempotency_key IS NOT NULL
    GROUP BY user_id, idempotency_key HAVING count(*) > 1
"""
#: Steps of the state in their order; `before` of each must be `after` of the one before it.
_BROKEN_CHAINS = """
    SELECT id, status, after, known, before FROM (
        SELECT orders.id, status, timeline.id AS entry, detail->>'after' AS after,
            detail->>'before' AS before,
            coalesce(lag(detail->>'after') OVER steps, 'pending') AS known,
            row_number() OVER (PARTITION BY orders.id ORDER BY timeline.id DESC) AS from_end
        FROM orders JOIN timeline ON order_id = orders.id
        WHERE kind = 'order' AND detail ? 'after'
        WINDOW steps AS (PARTITION BY orders.id ORDER BY timeline.id)
    ) AS steps
    WHERE before <> known OR (from_end = 1 AND after <> status)
"""
_NO_HISTORY = """
    SELECT id, status FROM orders WHERE status <> 'pending' AND NOT EXISTS (
        SELECT 1 FROM timeline WHERE order_id = orders.id AND detail ? 'after')
"""
_TOLD_TWICE = """
    SELECT order_id, kind, cause, count(*) AS times FROM timeline
    WHERE kind IN ('payment', 'mail', 'stock')
    GROUP BY order_id, kind, cause, detail HAVING count(*) > 1
"""


def orders(books: Books) -> int:
    return books.value("orders", "SELECT count(*) FROM orders")


def keyed(books: Books) -> int:
    return books.value("orders", "SELECT count(*) FROM orders WHERE idempotency_key IS NOT NULL")


def goods(books: Books) -> Iterator[Violation]:
    """Sold without goods, goods without a sale, other goods than ordered."""
    committed = {row.order_id: row.lines for row in books.rows("products", _COMMITTED)}
    for row in books.rows("orders", _ORDERED):
        due = row.lines if row.status in SOLD else None
        took = committed.pop(row.id, None)
        if took != due:
            yield Violation(f"order {row.id}", f"{row.status}: ordered {due}, took {took}")
    for order_id, took in committed.items():
        yield Violation(f"order {order_id}", f"there is no such order, and it took {took}")


def holds(books: Books) -> Iterator[Violation]:
    """Reservations that nobody will ever end."""
    for row in books.rows(
        "products",
        "SELECT order_id, expires_at FROM reservations"
        " WHERE state = 'reserved' AND expires_at <= now()",
    ):
        yield Violation(f"order {row.order_id}", f"holds stock, though only until {row.expires_at}")
    reserved = books.rows("products", "SELECT order_id FROM reservations WHERE state = 'reserved'")
    pending = books.rows(
        "orders",
        "SELECT id FROM orders WHERE status = 'pending' UNION ALL SELECT order_id FROM checkouts",
    )
    for order_id in {row.order_id for row in reserved} - {row.id for row in pending}:
        yield Violation(
            f"order {order_id}", "holds stock for no pending order and no open checkout"
        )


def doubled_keys(books: Books) -> Iterator[Violation]:
    """Keys under which more than one order was made."""
    for row in books.rows("orders", _KEYS):
        yield Violation(f"user {row.user_id}", f"{row.made} orders under {row.idempotency_key}")


def totals(books: Books) -> Iterator[Violation]:
    """Orders that their lines and shipping do not add up to."""
    for row in books.rows("orders", _TOTALS):
        yield Violation(f"order {row.id}", f"{row.name} {row.amount}, its parts {row.sum}")


def histories(books: Books) -> Iterator[Violation]:
    """Timelines with a gap, with another end than the order, or that repeat themselves."""
    for row in books.rows("orders", _BROKEN_CHAINS):
        yield Violation(
            f"order {row.id}",
            f"is {row.status}; its timeline goes from {row.before} to {row.after} after"
            f" {row.known}",
        )
    for row in books.rows("orders", _NO_HISTORY):
        yield Violation(f"order {row.id}", f"is {row.status}, and its timeline does not say why")
    for row in books.rows("orders", _TOLD_TWICE):
        yield Violation(f"order {row.order_id}", f"{row.kind} {row.cause} told {row.times} times")
