"""Inventory's books: counters, movements, reservations, transfers."""

from collections.abc import Iterator

from shop.verify.books import Books
from shop.verify.violation import Violation

_COUNTERS = """
    SELECT stock.variant_id, stock.location, stock.on_hand, stock.reserved,
           moved.on_hand AS moved_on_hand, moved.reserved AS moved_reserved, held.quantity AS held
    FROM stock
    LEFT JOIN (
        SELECT variant_id, location, sum(delta_on_hand) AS on_hand, sum(delta_reserved) AS reserved
        FROM movements GROUP BY variant_id, location
    ) AS moved USING (variant_id, location)
    LEFT JOIN (
        SELECT variant_id, location, sum(quantity - shipped - cancelled) AS quantity
        FROM reservation_lines WHERE held_until IS NOT NULL GROUP BY variant_id, location
    ) AS held USING (variant_id, location)
    WHERE (stock.on_hand, stock.reserved, stock.reserved) IS DISTINCT FROM
            (coalesce(moved.on_hand, 0), coalesce(moved.reserved, 0), coalesce(held.quantity, 0))
        OR stock.reserved NOT BETWEEN 0 AND stock.on_hand
"""

#: Until its time is over, or for good once it is paid.
_HELD_BY_NOBODY = """
    SELECT line.order_id, line.variant_id
    FROM reservation_lines AS line JOIN reservations USING (order_id)
    WHERE held_until IS NOT NULL AND held_until IS DISTINCT FROM CASE state
        WHEN 'reserved' THEN expires_at WHEN 'committed' THEN 'infinity' END
"""

#: What an order holds and what has left, by its movements and by its lines. What it neither holds
#: nor gave back has left before it was shipped: releases before did so when it was paid.
_TAKEN = """
    SELECT order_id, variant_id, location, coalesce(state, 'no reservation') AS state,
           coalesce(quantity, 0) AS quantity, coalesce(taken, 0) AS taken,
           coalesce(moved.held, 0) AS held
    FROM (
        SELECT order_id, variant_id, location, state, quantity,
            shipped + CASE WHEN state = 'committed' AND held_until IS NULL
                THEN quantity - shipped - cancelled ELSE 0 END AS gone,
            CASE WHEN held_until IS NULL THEN 0 ELSE quantity - shipped - cancelled END AS held
        FROM reservation_lines JOIN reservations USING (order_id)
    ) AS line
    FULL JOIN (
        SELECT order_id, variant_id, location, -sum(delta_on_hand) AS taken,
            sum(delta_reserved) AS held
        FROM movements WHERE order_id IS NOT NULL GROUP BY order_id, variant_id, location
    ) AS moved USING (order_id, variant_id, location)
    WHERE coalesce(taken, 0) <> coalesce(gone, 0)
        OR coalesce(moved.held, 0) <> coalesce(line.held, 0)
"""

#: A variant's movements at a location are written under the lock of its counters, so their ids are
#: their order.
_SHORT = """
    SELECT variant_id, location, count(*) AS moments, min(on_hand - reserved) AS worst
    FROM (
        SELECT variant_id, location, sum(delta_on_hand) OVER so_far AS on_hand,
               sum(delta_reserved) OVER so_far AS reserved
        FROM movements WINDOW so_far AS (PARTITION BY variant_id, location ORDER BY id)
    ) AS levels
    WHERE reserved NOT BETWEEN 0 AND on_hand
    GROUP BY variant_id, location
"""

#: What left for another location, what arrived there, and what came back from a cancelled transfer,
#: by movements (a receipt's cause is a key of its own) and by the transfers.
_ON_THE_WAY = """
    SELECT variant_id,
        coalesce(moved.departed, 0) AS departed, coalesce(moved.arrived, 0) AS arrived,
        coalesce(told.sent, 0) AS sent, coalesce(told.back, 0) AS back
    FROM (
        SELECT variant_id, -sum(delta_on_hand) FILTER (WHERE kind = 'transfer_out') AS departed,
            sum(delta_on_hand) FILTER (WHERE kind = 'transfer_in') AS arrived
        FROM movements WHERE kind IN ('transfer_out', 'transfer_in') GROUP BY variant_id
    ) AS moved
    FULL JOIN (
        SELECT variant_id, sum(sent) AS sent,
            sum(CASE WHEN state = 'cancelled' THEN sent ELSE received END) AS back
        FROM transfer_lines JOIN transfers ON transfers.id = transfer_id GROUP BY variant_id
    ) AS told USING (variant_id)
    WHERE (coalesce(moved.departed, 0), coalesce(moved.arrived, 0))
        IS DISTINCT FROM (coalesce(told.sent, 0), coalesce(told.back, 0))
"""
_OVER = """
    SELECT id, state, sum(sent - received) AS left
    FROM transfers JOIN transfer_lines ON transfer_id = id GROUP BY id, state
    HAVING (state = 'sent') <> (sum(sent - received) > 0) AND state <> 'cancelled'
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
            f"variant {row.variant_id} at {row.location}",
            f"on hand {row.on_hand}, by movements {row.moved_on_hand or 0}; reserved"
            f" {row.reserved}, by movements {row.moved_reserved or 0}, held by orders"
            f" {row.held or 0}",
        )
    for row in books.rows("products", _HELD_BY_NOBODY):
        yield Violation(f"order {row.order_id}", f"holds variant {row.variant_id} unreserved")


def moves(books: Books) -> int:
    return books.value("products", "SELECT count(*) FROM movements")


def short(books: Books) -> Iterator[Violation]:
    """Variants that were promised more often than they were at a location, at any moment."""
    for row in books.rows("products", _SHORT):
        yield Violation(
            f"variant {row.variant_id} at {row.location}",
            f"{row.moments} times oversold, at worst by {-row.worst}",
        )


def taken(books: Books) -> Iterator[Violation]:
    """Orders that took another quantity than their reservation says, or took it twice."""
    for row in books.rows("products", _TAKEN):
        yield Violation(
            f"order {row.order_id}",
            f"variant {row.variant_id} at {row.location}: {row.state}, {row.quantity} reserved,"
            f" {row.taken} taken, {row.held} held",
        )


def transfers(books: Books) -> int:
    return books.value("products", "SELECT count(*) FROM transfers")


def on_the_way(books: Books) -> Iterator[Violation]:
    """Stock that left one location and neither arrived at another nor is on the way."""
    for row in books.rows("products", _ON_THE_WAY):
        yield Violation(
            f"variant {row.variant_id}",
            f"{row.sent} sent and {row.back} arrived by the transfers; {row.departed} and"
            f" {row.arrived} by movements",
        )
    for row in books.rows("products", _OVER):
        yield Violation(f"transfer {row.id}", f"is {row.state}, and {row.left} are on the way")
