"""The books of payments, against those of orders and of the provider."""

from collections.abc import Iterator
from decimal import Decimal

from chassis.currencies import places_in_sql
from shop.verify.books import Books
from shop.verify.orders import SOLD
from shop.verify.violation import Violation

#: What an order has paid is what we owe it: the account has it as a credit.
_LEDGER = """
    SELECT order_id, -sum(balance) AS net FROM ledger_balances WHERE account = 'order'
    GROUP BY order_id
"""
#: Unknown accounts are left out of the sum, which is then not zero.
_UNBALANCED = """
    SELECT * FROM (
        SELECT order_id, currency,
               coalesce(sum(balance) FILTER (WHERE account = 'provider'), 0) AS provider,
               coalesce(sum(balance) FILTER (WHERE account = 'order'), 0) AS paid,
               coalesce(sum(balance) FILTER (WHERE account = 'disputed'), 0) AS disputed
        FROM ledger_balances GROUP BY order_id, currency
    ) AS accounts
    WHERE provider + paid + disputed <> 0 OR paid > 0 OR disputed < 0
"""
_ORDERS = """
    SELECT orders.id, status, payment_status, total, coalesce(refunded, 0) AS refunded
    FROM orders LEFT JOIN receipts ON receipts.payment_id = orders.payment_id
"""
_DOUBLED = """
    SELECT order_id, count(*) AS paid FROM payments WHERE captured > refunded
    GROUP BY order_id HAVING count(*) > 1
    UNION ALL
    SELECT order_id, count(*) FROM payments WHERE status <> 'failed' AND NOT superseded
    GROUP BY order_id HAVING count(*) > 1
"""
_OVERDRAWN = """
    SELECT payments.id, captured, refunded, entered.captures, entered.refunds
    FROM payments CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captures,
               coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunds
        FROM ledger_entries WHERE payment_id = payments.id
    ) AS entered
    WHERE refunded > captured OR refunded + refunding > captured OR captured > amount
        OR (captured, refunded) IS DISTINCT FROM (entered.captures, entered.refunds)
"""
_REQUESTED = "SELECT id, payment_id, cause, amount FROM refund_requests WHERE amount > 0"
_GIVEN = """
    SELECT key, amount FROM refunds WHERE key LIKE 'request-%' AND status = 'succeeded'
"""
#: What the provider refused to give back, less what went back by hand since.
_REFUSED = """
    SELECT id, least(refused.amount - by_hand.amount, captured - refunded) AS amount,
           refused.requests
    FROM (
        SELECT payment_id, sum(amount) AS amount, min(created_at) AS since,
               array_agg(key) AS requests
        FROM refunds WHERE key LIKE 'request-%' AND status = 'failed' GROUP BY payment_id
    ) AS refused
    JOIN payments ON payments.id = payment_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount FROM refunds
        WHERE payment_id = payments.id AND created_at > since AND status = 'succeeded'
            AND key NOT LIKE 'request-%'
    ) AS by_hand
"""
_LEFT = "SELECT id, captured - refunded AS amount FROM payments WHERE captured > refunded"
_MISWRITTEN = {
    "orders": f"""
        SELECT 'order ' || id AS what FROM orders
        WHERE scale(subtotal + discount + shipping + net + tax + total) <> {places_in_sql()}
        UNION
        SELECT 'order ' || orders.id FROM order_lines JOIN orders ON orders.id = order_id
        WHERE scale(unit_price + order_lines.discount + order_lines.net + order_lines.tax
            + order_lines.total) <> {places_in_sql()}
    """,  # noqa: S608  (names of ours)
    "payments": f"""
        SELECT 'payment ' || id AS what FROM payments
        WHERE scale(amount + captured + refunded) <> {places_in_sql()}
    """,  # noqa: S608  (names of ours)
    "products": f"""
        SELECT 'product ' || products.id AS what
        FROM products LEFT JOIN variants ON product_id = products.id
        WHERE scale(products.price + coalesce(variants.price, 0)) <> {places_in_sql()}
    """,  # noqa: S608  (names of ours)
}
#: Both books lie in one database, but never meet in a statement of the service.
_CHARGES = """
    SELECT coalesce(ours.provider_reference, theirs.reference) AS reference,
           theirs.captured AS charged, theirs.refunded AS returned,
           ours.captured, ours.refunded, ours.lies
    FROM (
        SELECT reference, captured, refunded, captured - refunded AS lies
        FROM simulator_charges WHERE captured > 0
    ) AS theirs
    FULL JOIN (
        SELECT provider_reference, captured, refunded, (
            SELECT sum(CASE 'provider' WHEN debit THEN entry.amount WHEN credit THEN -entry.amount
                       ELSE 0 END)
            FROM ledger_entries AS entry WHERE payment_id = payments.id
        ) AS lies
        FROM payments WHERE provider = 'simulator' AND captured > 0
    ) AS ours ON provider_reference = reference
    WHERE (theirs.captured, theirs.refunded, theirs.lies)
        IS DISTINCT FROM (ours.captured, ours.refunded, ours.lies)
"""


def payments(books: Books) -> int:
    return books.value("payments", "SELECT count(*) FROM payments")


def charges(books: Books) -> int:
    return books.value("payments", "SELECT count(*) FROM simulator_charges")


def accounts(books: Books) -> int:
    return books.value("payments", "SELECT count(*) FROM ledger_balances")


def doubled(books: Books) -> Iterator[Violation]:
    """Orders that were paid more than once."""
    for row in books.rows("payments", _DOUBLED):
        yield Violation(f"order {row.order_id}", f"{row.paid} payments at once")


def unmatched(books: Books) -> Iterator[Violation]:
    """Money without an order that it pays, and orders without their money."""
    net = {row.order_id: row.net for row in books.rows("payments", _LEDGER)}
    for row in books.rows("orders", _ORDERS):
        due = row.total - row.refunded if row.status in SOLD else Decimal(0)
        has = net.pop(row.id, Decimal(0))
        if has != due:
            yield Violation(f"order {row.id}", f"{row.status}: {has} instead of {due}")
        if row.payment_status not in ("unpaid", _state(row.total, row.refunded)):
            yield Violation(
                f"order {row.id}", f"{row.payment_status}, but {row.refunded} of it went back"
            )
    for order_id, has in net.items():
        if has:
            yield Violation(
                f"order {order_id}", f"there is no such order, and we have {has} for it"
            )


def requests(books: Books) -> int:
    return books.value("orders", "SELECT count(*) FROM refund_requests")


def unanswered(books: Books) -> Iterator[Violation]:
    """What was asked back and is kept, or went back and was not asked for. Of a payment of which
    nothing is left all went back, by hand perhaps; so does what the provider has refused."""
    given = {row.key: row.amount for row in books.rows("payments", _GIVEN)}
    left = {row.id: row.amount for row in books.rows("payments", _LEFT)}
    refused = books.rows("payments", _REFUSED)
    failed = {key for row in refused for key in row.requests}
    for row in refused:
        if row.amount > 0:
            yield Violation(f"payment {row.id}", f"{row.amount} is kept: refused by the provider")
    for row in books.rows("orders", _REQUESTED):
        key = f"request-{row.id}"
        amount = given.get(key)
        if amount is None and key not in failed and row.payment_id in left:
            yield Violation(f"payment {row.payment_id}", f"{row.amount} is kept: {row.cause}")
        elif amount is not None and amount > row.amount:
            yield Violation(
                f"payment {row.payment_id}", f"{amount} instead of {row.amount}: {row.cause}"
            )


def miswritten(books: Books) -> Iterator[Violation]:
    """What has an amount with other places than its currency."""
    for package, statement in _MISWRITTEN.items():
        for row in books.rows(package, statement):
            yield Violation(row.what, "an amount has other places than its currency")


def unbalanced(books: Books) -> Iterator[Violation]:
    """Orders whose accounts have more or less than there is."""
    for row in books.rows("payments", _UNBALANCED):
        yield Violation(
            f"order {row.order_id}",
            f"provider {row.provider}, order {row.paid}, disputed {row.disputed} {row.currency}",
        )


def overdrawn(books: Books) -> Iterator[Violation]:
    """Payments of which more went back than came, or whose ledger says something else."""
    for row in books.rows("payments", _OVERDRAWN):
        yield Violation(
            f"payment {row.id}",
            f"captured {row.captured} (ledger {row.captures}), refunded {row.refunded}"
            f" (ledger {row.refunds})",
        )


def unknown_charges(books: Books) -> Iterator[Violation]:
    """Charges and refunds that only one of the books has."""
    for row in books.rows("payments", _CHARGES):
        yield Violation(
            f"charge {row.reference}",
            f"theirs {row.charged} less {row.returned}, ours {row.captured} less {row.refunded},"
            f" of which {row.lies} lies with them",
        )


def _state(total: Decimal, refunded: Decimal) -> str:
    """What has become of the money of an order that was paid."""
    if not refunded:
        return "paid"
    return "refunded" if refunded >= total else "partially_refunded"
