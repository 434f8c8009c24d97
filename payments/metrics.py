"""What of payments is told to Prometheus (`chassis.gauges`)."""

from chassis.gauges import Query
from contracts.payments.enums import OPEN, ProviderName
from payments.errors import REASONS

PAYMENTS = Query(
    """
    SELECT status, count(*) AS payments_open,
           extract(epoch FROM :now - min(created_at))::float AS payment_oldest_open_seconds
    FROM (
        SELECT status, created_at FROM payments
        WHERE status IN ('pending', 'requires_action') ORDER BY next_check_at LIMIT :most
    ) AS open
    GROUP BY status
    """,
    {
        "payments_open": "Payments that are not decided, 100,000 at most.",
        "payment_oldest_open_seconds": "Age of the oldest of them; 0 when there is none.",
    },
    labels={"status": OPEN},
)

REFUNDS = Query(
    """
    SELECT count(*) AS refunds_open,
           extract(epoch FROM :now - min(created_at))::float AS refund_oldest_open_seconds
    FROM (
        SELECT created_at FROM refunds WHERE status = 'pending'
        ORDER BY next_check_at LIMIT :most
    ) AS open
    """,
    {
        "refunds_open": "Refunds that the provider has not confirmed, 100,000 at most.",
        "refund_oldest_open_seconds": "Age of the oldest of them; 0 when there is none.",
    },
)

WEBHOOKS = Query(
    """
    SELECT count(*) AS webhooks_waiting,
           extract(epoch FROM :now - min(received_at))::float AS webhook_oldest_waiting_seconds
    FROM (
        SELECT received_at FROM provider_notices WHERE processed_at IS NULL
        ORDER BY next_try_at LIMIT :most
    ) AS waiting
    """,
    {
        "webhooks_waiting": "Webhooks that were taken and not looked into, 100,000 at most.",
        "webhook_oldest_waiting_seconds": "Age of the oldest of them; 0 when there is none.",
    },
)

#: A row for each day, provider and reason, so that this stays small.
REFUSED = Query(
    "SELECT provider, reason, sum(count) AS webhooks_refused_total"
    " FROM refused_notices GROUP BY provider, reason",
    {"webhooks_refused_total": "Webhooks that were refused since the shop began, and why."},
    labels={"provider": tuple(ProviderName), "reason": REASONS},
)
