"""The audit: do ledger, reservations and counters agree?"""

import sqlalchemy as sa

_DISCREPANCIES = sa.text("""
    SELECT stock.product_id, stock.on_hand, stock.reserved, moved.on_hand AS moved_on_hand,
           moved.reserved AS moved_reserved, held.quantity AS held
    FROM stock
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(delta_on_hand), 0) AS on_hand,
               coalesce(sum(delta_reserved), 0) AS reserved
        FROM movements WHERE movements.product_id = stock.product_id
    ) AS moved
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity
        FROM reservation_lines AS line
        WHERE line.product_id = stock.product_id AND held_until IS NOT NULL
    ) AS held
    WHERE (stock.on_hand, stock.reserved, stock.reserved)
        IS DISTINCT FROM (moved.on_hand, moved.reserved, held.quantity)
    UNION ALL
    SELECT line.product_id, NULL, NULL, NULL, NULL, line.quantity
    FROM reservation_lines AS line JOIN reservations USING (order_id)
    WHERE held_until IS NOT NULL
        AND (state <> 'reserved' OR held_until IS DISTINCT FROM expires_at)
""")


def discrepancies(engine):
    """Products whose counters are not the sums of their movements, or whose reserved units are not
    those that orders hold; and lines that are held without a reservation that says so."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(_DISCREPANCIES)]
