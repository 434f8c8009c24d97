"""What left in parcels: the lines of orders, the parcels, and inventory's movements."""

from collections.abc import Iterator

from shop.verify.books import Books
from shop.verify.violation import Violation

_LINES = """
    SELECT order_id, line, quantity, shipped, cancelled, coalesce(units, 0) AS units
    FROM order_lines LEFT JOIN (
        SELECT fulfilments.order_id, line, sum(quantity) AS units
        FROM fulfilments JOIN fulfilment_lines ON fulfilment_id = id
        WHERE state IN ('shipped', 'delivered') GROUP BY fulfilments.order_id, line
    ) AS gone USING (order_id, line)
    WHERE shipped <> coalesce(units, 0) OR shipped + cancelled > quantity
"""
#: What is packed may not be shipped or cancelled as well.
_OVERPACKED = """
    SELECT order_lines.order_id, line, order_lines.quantity, cancelled + shipped AS gone,
        sum(fulfilment_lines.quantity) AS packing
    FROM order_lines JOIN fulfilment_lines USING (order_id, line)
    JOIN fulfilments ON id = fulfilment_id WHERE state = 'packing'
    GROUP BY order_lines.order_id, line
    HAVING cancelled + shipped + sum(fulfilment_lines.quantity) > order_lines.quantity
"""
_LEFT = """
    SELECT id, fulfilments.order_id, variant_id, location, sum(fulfilment_lines.quantity) AS units
    FROM fulfilments JOIN fulfilment_lines ON fulfilment_id = id
    JOIN order_lines ON order_lines.order_id = fulfilments.order_id
        AND order_lines.line = fulfilment_lines.line
    WHERE state IN ('shipped', 'delivered')
    GROUP BY id, fulfilments.order_id, variant_id, location
"""
_BOOKED = """
    SELECT cause_id, variant_id, location, -sum(delta_on_hand) AS units
    FROM movements WHERE kind = 'ship' GROUP BY cause_id, variant_id, location
"""
#: Releases before took stock off the books when its order was paid, and not when it left.
_BEFORE = "SELECT DISTINCT order_id FROM movements WHERE kind = 'commit'"
#: Each status, from the units of the lines and the parcels.
_STATUSES = """
    SELECT id, status, kept, shipped, under_way FROM (
        SELECT orders.id, status, sum(quantity - cancelled) AS kept, sum(shipped) AS shipped,
            (SELECT count(*) FROM fulfilments
                WHERE fulfilments.order_id = orders.id AND state = 'shipped') AS under_way
        FROM orders JOIN order_lines ON order_id = id GROUP BY orders.id, status
    ) AS parts
    WHERE CASE status
        WHEN 'cancelled' THEN kept > 0 OR shipped > 0
        WHEN 'partially_shipped' THEN shipped NOT BETWEEN 1 AND kept - 1
        WHEN 'shipped' THEN shipped = 0 OR shipped <> kept OR under_way = 0
        WHEN 'delivered' THEN shipped = 0 OR shipped <> kept OR under_way > 0
        ELSE shipped > 0 OR kept = 0
    END
"""


def parcels(books: Books) -> int:
    return books.value("orders", "SELECT count(*) FROM fulfilments")


def departed(books: Books) -> Iterator[Violation]:
    """Units that left twice, or of which nothing tells that they have left."""
    for row in books.rows("orders", _LINES):
        yield Violation(
            f"order {row.order_id}",
            f"line {row.line}: of {row.quantity} {row.shipped} shipped, {row.cancelled} cancelled,"
            f" {row.units} in parcels that have left",
        )
    for row in books.rows("orders", _OVERPACKED):
        yield Violation(
            f"order {row.order_id}",
            f"line {row.line}: {row.quantity} ordered, {row.gone} shipped or cancelled,"
            f" {row.packing} being packed",
        )

    yield from _booked(books)


def _booked(books: Books) -> Iterator[Violation]:
    """What inventory has booked for a parcel, against what is in it, at its location."""
    booked = {
        (row.cause_id, row.variant_id, row.location): row.units
        for row in books.rows("products", _BOOKED)
    }
    before = {row.order_id for row in books.rows("products", _BEFORE)}
    for row in books.rows("orders", _LEFT):
        units = booked.pop((row.id, row.variant_id, row.location), None)
        if units != row.units and not (units is None and row.order_id in before):
            yield Violation(
                f"parcel {row.id}",
                f"{row.units} of variant {row.variant_id} have left {row.location},"
                f" and {units or 0} are booked",
            )
    for (parcel_id, variant_id, location), units in booked.items():
        yield Violation(
            f"parcel {parcel_id}",
            f"{units} of variant {variant_id} are booked as having left {location}, and have not",
        )


def statuses(books: Books) -> Iterator[Violation]:
    """Orders whose status is not what has become of their units."""
    for row in books.rows("orders", _STATUSES):
        yield Violation(
            f"order {row.id}",
            f"is {row.status}; {row.shipped} of {row.kept} units have left,"
            f" {row.under_way} parcels are under way",
        )
