"""What has to hold when everything has come to rest, read from the databases."""

from collections import Counter

from tests.chaos.crash.points import ENDS
from tests.integration.inventory import books as stock_books

#: Who handles which events: source, type, package, handler.
HANDLERS = (
    ("payments", "payment_succeeded", "orders", "orders.on_payment_succeeded"),
    ("payments", "payment_failed", "orders", "orders.on_payment_failed"),
    ("payments", "payment_cancelled", "orders", "orders.on_payment_cancelled"),
    ("payments", "payment_refunded", "orders", "orders.on_payment_refunded"),
    ("payments", "refund_failed", "orders", "orders.on_refund_failed"),
    ("orders", "order_paid", "products", "inventory.on_order_paid"),
    ("orders", "order_cancelled", "products", "inventory.on_order_cancelled"),
    ("orders", "fulfilment_shipped", "products", "inventory.on_fulfilment_shipped"),
    ("products", "stock_lost", "orders", "orders.on_stock_lost"),
    ("orders", "refund_due", "payments", "payments.on_refund_due"),
    *(
        (source, event, "notifications", "notifications.announce")
        for source, event in (
            *(("orders", f"order_{what}") for what in ("placed", "paid", "cancelled")),
            ("orders", "fulfilment_shipped"),
            *(("payments", f"payment_{what}") for what in ("succeeded", "failed", "refunded")),
        )
    ),
)


def at_rest(shop):
    """Nothing is under way: no checkout, no payment or refund without an end, no event that is not
    sent, or sent and not applied; and stock is the sum of its movements."""
    assert shop.sql("orders", "SELECT order_id FROM checkouts") == []
    assert shop.sql("orders", "SELECT id FROM orders WHERE paying_since IS NOT NULL") == []
    assert shop.sql("payments", "SELECT id FROM payments WHERE status = 'pending'") == []
    assert shop.sql("payments", "SELECT id FROM refunds WHERE status = 'pending'") == []
    for package in ("products", "orders", "payments", "notifications"):
        assert shop.sql(package, "SELECT type FROM outbox WHERE sent_at IS NULL") == []
    for source, event, package, handler in HANDLERS:
        sent = _ids(shop, source, "SELECT event_id FROM outbox WHERE type = :name", event)
        applied = _ids(shop, package, "SELECT event_id FROM inbox WHERE handler = :name", handler)
        assert sent <= applied | shop.lost, handler
    assert stock_books.discrepancies(shop.engine("products")) == []
    return True


def mails_are_out(shop):
    """Each event has its mail, which is delivered and noted, and a file of its own."""
    mails = shop.sql("notifications", "SELECT * FROM notifications WHERE channel = 'email'")
    told = shop.sql("notifications", "SELECT event_id FROM inbox")
    assert {mail.event_id for mail in mails} == {one.event_id for one in told}
    assert {mail.status for mail in mails} <= {"sent"}
    assert {path.stem for path in shop.outbox.glob("*.eml")} == {str(mail.id) for mail in mails}
    return True


def has_ended(shop, key, product, end):
    """Whether the one order of `key`, its stock and its money are what `end` (of `ENDS`) says, and
    its timeline tells of each step once."""
    state, stock, money, told = ENDS[end]
    orders = shop.sql("orders", "SELECT * FROM orders WHERE idempotency_key = :key", key=key)
    assert len(orders) == (state is not None)
    levels = shop.sql(
        "products",
        "SELECT sum(on_hand), sum(reserved) FROM stock WHERE variant_id = :id",
        id=product,
    )
    assert levels == [stock]
    for order in orders:
        assert (order.status, order.payment_status) == state
        assert _money(shop, order.id) == tuple(part * order.total for part in money)
        assert _timeline(shop, order.id) == Counter(told)
    return True


def _money(shop, order_id):
    """What was captured and given back of an order, in which our books and the provider's agree."""
    ((captured, returned),) = shop.sql(
        "payments",
        "SELECT coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0),"
        " coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)"
        " FROM ledger_entries WHERE order_id = :id",
        id=order_id,
    )
    theirs = shop.sql(
        "payments",
        "SELECT coalesce(sum(charge.captured), 0), coalesce(sum(charge.refunded), 0)"
        " FROM simulator_charges AS charge JOIN payments ON charge.key = 'payment-' || payments.id"
        " WHERE order_id = :id AND charge.status = 'succeeded'",
        id=order_id,
    )
    assert theirs == [(captured, returned)]
    return captured, returned


def _timeline(shop, order_id):
    entries = shop.sql(
        "orders",
        "SELECT cause FROM timeline WHERE order_id = :id AND kind <> 'mail'",
        id=order_id,
    )
    return Counter(entry.cause for entry in entries)


def _ids(shop, package, query, name):
    return {row.event_id for row in shop.sql(package, query, name=name)}
