"""Inventory's books: counters, movements, reservations."""

from collections.abc import Iterator

from shop.verify.books import Books
from shop.verify.violation import Violation

_COUNTERS = """
    SELECT stock.variant_id, stock.on_hand, stock.reserved, moved.on_hand AS moved_on_hand,
           moved.reserved AS moved_reserved, held.quantity AS held
    FROM stock
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(delta_on_hand), 0) AS on_hand,
               coalesce(sum(delta_reserved), 0) AS reserved
        FROM movements WHERE movements.variant_id = stock.variant_id
    ) AS moved
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity
        FROM reservation_lines AS line
        WHERE line.variant_id = stock.variant_id AND held_until IS NOT NULL
    ) AS held
    WHERE (stock.on_hand, stock.reserved, stock.reserved)
        IS DISTINCT FROM (moved.on_hand, moved.reserved, held.quantity)
        OR stock.reserved NOT BETWEEN 0 AND stock.on_hand
"""

_HELD_BY_NOBODY = """
    SELECT line.order_id, line.variant_id
    FROM reservation_lines AS line JOIN reservations USING (order_id)
    WHERE held_until IS NOT NULL
        AND (state <> 'reserved' OR held_until IS DISTINCT FROM expires_at)
"""

_TAKEN = """
    SELECT order_id, variant_id, coalesce(state, 'no reservation') AS state,
           coalesce(quantity, 0) AS quantity, taken, held
    FROM (
        SELECT line.order_id, line.variant_id, state, quantity, held_until
        FROM reservation_lines AS line JOIN reservations USING (order_id)
    ) AS line
    FULL JOIN (
        SELECT order_id, variant_id, -sum(delta_on_hand) AS taken, sum(delta_reserved) AS held
        FROM movements WHERE order_id IS NOT NULL GROUP BY order_id, variant_id
    ) AS moved USING (order_id, variant_id)
    WHERE coalesce(taken, 0) <> CASE state WHEN 'committed' THEN quantity ELSE 0 END
        OR coalesce(held, 0) <> CASE WHEN held_until IS NULL THEN 0 ELSE quantity END
"""

#: A product's movements are written under the lock of its counters, so their ids are their order.
_SHORT = """
    SELECT variant_id, count(*) AS moments, min(on_hand - reserved) AS worst
    FROM (
        SELECT variant_id, sum(delta_on_hand) OVER so_far AS on_hand,
               sum(delta_reserved) OVER so_far AS reserved
        FROM movements WINDOW so_far AS (PARTITION BY variant_id ORDER BY id)
    ) AS levels
    WHERE reserved NOT BETWEEN 0 AND on_hand
    GROUP BY variant_id
"""


def products(books: Books) -> int:
    return books.value("products", "SELECT count(*) FROM stock")


def lines(books: Books) -> int:
    return books.value("products", "SELECT count(*) FROM reservation_lines")


def reservations(books: Books) -> int:
    return books.value("products", "SELECT count(*) FROM reservations")


def counters(books: Books) -> Iterator[Violation]:
    """Counters that are not the sums of what moved, or not what is held."""
    for row in books.rows("products", _COUNTERS):
        yield Violation(
            f"product {row.variant_id}",
            f"on hand {row.on_hand}, by movements {row.moved_on_hand}; reserved {row.reserved},"
            f" by movements {row.moved_reserved}, held by orders {row.held}",
        )
    for row in books.rows("products", _HELD_BY_NOBODY):
        yield Violation(f"order {row.order_id}", f"holds product {row.variant_id} unreserved")


def moves(books: Books) -> int:
    return books.value("products", "SELECT count(*) FROM movements")


def short(books: Books) -> Iterator[Violation]:
    """Products that were promised more often than they were there, at any moment."""
    for row in books.rows("products", _SHORT):
        yield Violation(
            f"product {row.variant_id}",
            f"{row.moments} times oversold, at worst by {-row.worst}",
        )


def taken(books: Books) -> Iterator[Violation]:
    """Orders that took another quantity than their reservation says, or took it twice."""
    for row in books.rows("products", _TAKEN):
        yield Violation(
            f"order {row.order_id}",
            f"product {row.variant_id}: {row.state}, {row.quantity} reserved,"
            f" {row.taken or 0} taken, {row.held or 0} held",
        )
