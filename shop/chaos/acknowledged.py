"""Is everything there that a buyer was told? The journal against the books."""

from collections.abc import Iterator
from decimal import Decimal

from shop.chaos.journal import Journal
from shop.verify import Books, Invariant, Violation


def invariants(journal: Journal) -> tuple[Invariant, ...]:
    """What only those can check who were there."""
    return (
        Invariant(
            "acknowledged orders are there",
            "each order that a buyer was shown is in the books, of that buyer, at that total",
            lambda books: len(journal.orders),
            lambda books: _orders(books, journal),
        ),
        Invariant(
            "acknowledged payments are there",
            "each payment that a buyer was shown is in the books; one that had succeeded still has",
            lambda books: len(journal.payments),
            lambda books: _payments(books, journal),
        ),
        Invariant(
            "acknowledged changes are there",
            "each cancellation, refund and correction of stock that was confirmed happened, once",
            lambda books: len(journal.cancelled) + len(journal.refunds) + len(journal.adjusted),
            lambda books: _changes(books, journal),
        ),
        Invariant(
            "acknowledged parcels are there",
            "each parcel that a clerk was shown is in the books, with just what was put in it",
            lambda books: len(journal.parcels),
            lambda books: _parcels(books, journal),
        ),
        Invariant(
            "one answer per key",
            "whoever repeats a request gets the same order, payment or parcel",
            lambda books: len(journal.orders) + len(journal.payments) + len(journal.parcels),
            lambda books: (Violation("key", what) for what in journal.doubled),
        ),
        Invariant(
            "no surprises",
            "every answer is one that the contract has for that case",
            lambda books: journal.counts["calls"],
            lambda books: (Violation("answer", what) for what in journal.surprises),
        ),
    )


def _orders(books: Books, journal: Journal) -> Iterator[Violation]:
    there = {
        str(row.id): (str(row.user_id), row.total)
        for row in books.rows("orders", "SELECT id, user_id, total FROM orders")
    }
    for order in journal.orders.values():
        told = (order["user_id"], Decimal(order["total"]))
        if there.get(order["id"]) != told:
            yield Violation(f"order {order['id']}", f"told {told}, found {there.get(order['id'])}")


def _payments(books: Books, journal: Journal) -> Iterator[Violation]:
    there = {
        str(row.id): row
        for row in books.rows(
            "payments", "SELECT id, order_id, status, captured, refunded FROM payments"
        )
    }
    for payment in journal.payments.values():
        row = there.get(payment["id"])
        if row is None or str(row.order_id) != payment["order_id"]:
            yield Violation(f"payment {payment['id']}", "is not there")
        elif payment["status"] == "succeeded" and row.captured != Decimal(payment["amount"]):
            yield Violation(f"payment {payment['id']}", f"had succeeded, is {row.status}")


def _parcels(books: Books, journal: Journal) -> Iterator[Violation]:
    there: dict[str, list[tuple[int, int]]] = {}
    for row in books.rows("orders", "SELECT * FROM fulfilment_lines ORDER BY line"):
        there.setdefault(str(row.fulfilment_id), []).append((row.line, row.quantity))
    for parcel in journal.parcels.values():
        told = [(item["line"], item["quantity"]) for item in parcel["items"]]
        if (found := there.get(parcel["id"])) != told:
            yield Violation(f"parcel {parcel['id']}", f"told {told}, found {found}")


def _changes(books: Books, journal: Journal) -> Iterator[Violation]:
    cancelled = {
        str(row.id)
        for row in books.rows("orders", "SELECT id FROM orders WHERE status = 'cancelled'")
    }
    for order_id in journal.cancelled - cancelled:
        yield Violation(f"order {order_id}", "was cancelled, and is not")
    refunded = {
        str(row.id): row.refunded
        for row in books.rows("payments", "SELECT id, refunded FROM payments")
    }
    told: dict[str, Decimal] = {}
    for payment_id, amount in journal.refunds.values():
        told[payment_id] = told.get(payment_id, Decimal(0)) + Decimal(amount)
    for payment_id, amount in told.items():
        if refunded.get(payment_id, Decimal(0)) < amount:
            yield Violation(f"payment {payment_id}", f"{amount} was given back, not all is booked")
    moved = {
        row.reason: row.times
        for row in books.rows(
            "products",
            "SELECT reason, count(*) AS times FROM movements WHERE kind = 'adjust' GROUP BY reason",
        )
    }
    for reason in journal.adjusted:
        if moved.get(reason) != 1:
            yield Violation(reason, f"was booked {moved.get(reason, 0)} times")
