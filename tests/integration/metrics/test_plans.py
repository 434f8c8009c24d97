"""What the databases are asked at each scrape reads an index, however much lies in their tables."""

import datetime

import pytest
import sqlalchemy as sa

from chassis import config as configuration
from chassis.events.outbox import WAITING
from chassis.metrics.database import MOST
from notifications import metrics as notifications
from orders import metrics as orders
from payments import metrics as payments
from products import metrics as products
from tests.conftest import empty

ROWS = 20_000

#: Of each table, what is over, and two rows that are not.
FILL = {
    "orders": """
        INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at, sent_at)
        SELECT gen_random_uuid(), 'orders', 'order_paid', '{}', '{}', now(),
            CASE WHEN n > 2 THEN now() END FROM generate_series(1, :rows) n;
        INSERT INTO orders (id, user_id, status, payment_status, subtotal, net, total,
            prices_include_tax, currency, shipping_address, fingerprint, created_at, updated_at,
            expires_at, version, paying_since, recheck_at,
            payment_id)
        SELECT gen_random_uuid(), gen_random_uuid(),
            CASE WHEN n > 2 THEN 'delivered' ELSE 'pending' END,
            CASE WHEN n > 2 THEN 'paid' ELSE 'unpaid' END, 1, 1, 1, true, 'EUR', '{}', '',
            now(), now(), now(), 1,
            CASE WHEN n < 3 THEN now() - interval '10 min' END, CASE WHEN n < 3 THEN now() END,
            CASE WHEN n > 1 THEN gen_random_uuid() END FROM generate_series(1, :rows) n;
    """,
    "products": """
        INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at)
        SELECT gen_random_uuid(), CASE WHEN n > 2 THEN 'committed' ELSE 'reserved' END,
            now() + (n - 2) * interval '1 minute', now(), now() FROM generate_series(1, :rows) n;
    """,
    "payments": """
        INSERT INTO payments (id, order_id, user_id, key, provider, status, amount, currency,
            created_at, calling_until, next_check_at)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '', 'simulator',
            CASE WHEN n > 2 THEN 'failed' ELSE 'pending' END, 1, 'EUR', now(), now(), now()
        FROM generate_series(1, :rows) n;
        INSERT INTO refunds (id, payment_id, key, amount, reason, status, created_at, next_check_at)
        SELECT gen_random_uuid(), (SELECT id FROM payments LIMIT 1), n::text, 1, '',
            CASE WHEN n > 2 THEN 'succeeded' ELSE 'pending' END, now(), now()
        FROM generate_series(1, :rows) n;
        INSERT INTO provider_notices (provider, event_id, type, received_at, processed_at, outcome,
            next_try_at)
        SELECT 'stripe', n::text, '', now(), CASE WHEN n > 2 THEN now() END,
            CASE WHEN n > 2 THEN 'booked' END, now() FROM generate_series(1, :rows) n;
        INSERT INTO refused_notices (day, provider, reason, count)
        VALUES ('2030-01-01', 'stripe', 'stale', 2), ('2030-01-02', 'stripe', 'stale', 1);
    """,
    "notifications": """
        INSERT INTO notifications (id, user_id, channel, subject, body, status, created_at, sent_at,
            claimed_until)
        SELECT gen_random_uuid(), gen_random_uuid(), 'email', '', '',
            CASE WHEN n > 2 THEN 'sent' ELSE 'pending' END, now(), CASE WHEN n > 2 THEN now() END,
            now() FROM generate_series(1, :rows) n;
    """,
}

#: Its queries, and the samples that they have then; those that are not named are 0.
ASKED = {
    "orders": (
        (WAITING, orders.CHECKOUTS),
        {
            "shop_outbox_unsent": 2,
            "shop_checkouts": 2,
            # That without a payment has its time to pay, which is over now, and three minutes more.
            "shop_checkouts_stuck": 1,
        },
    ),
    "products": (
        (products.RESERVATIONS,),
        {"shop_reservations_held": 2, "shop_reservations_overdue": 2},
    ),
    "payments": (
        (payments.PAYMENTS, payments.REFUNDS, payments.WEBHOOKS, payments.REFUSED),
        {
            "shop_payments_open": 2,
            "shop_refunds_open": 2,
            "shop_webhooks_waiting": 2,
            "shop_webhooks_refused_total": 3,
        },
    ),
    "notifications": ((notifications.PENDING,), {"shop_notifications_pending": 2}),
}

#: With a row for each day, provider and reason it is small.
SMALL = {"refused_notices", "checkouts"}


@pytest.mark.parametrize("package", ASKED)
def test_figures_read_an_index(package, databases):
    """They say what there is, and look at little more than that."""
    queries, expected = ASKED[package]
    url = configuration.database_url({"DATABASE_URL": databases}, package)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    values = {
        "now": datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1),
        "most": MOST,
        "checkout_patience": 60,
        "payment_patience": 60,
    }
    empty(url)
    with engine.connect() as connection:
        connection.execute(sa.text(FILL[package]), {"rows": ROWS})
        connection.execute(sa.text("VACUUM ANALYZE"))
        statements = []
        sa.event.listen(
            connection,
            "before_cursor_execute",
            lambda conn, cursor, statement, parameters, *rest: statements.append(
                (statement, parameters)
            ),
        )
        samples = [each for query in queries for each in query.samples(connection, values)]
        plans = [_plan(connection, *statement) for statement in statements]
    empty(url)
    engine.dispose()
    found = {}
    for sample in samples:
        if not sample.name.endswith("_seconds"):
            found[sample.name] = found.get(sample.name, 0) + sample.value
    assert {name: value for name, value in found.items() if value} == expected
    for node in (node for plan in plans for node in _nodes(plan)):
        if node["Node Type"] == "Seq Scan":
            assert node["Relation Name"] in SMALL, node["Relation Name"]
        if node.get("Relation Name") not in SMALL | {None}:
            assert node["Actual Rows"] + node.get("Rows Removed by Filter", 0) <= 10


def _plan(connection, statement, parameters):
    with connection.connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        return cursor.fetchone()[0][0]["Plan"]


def _nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
