"""What Prometheus is given of stock (`chassis.gauges`)."""

from chassis.gauges import Query

#: Those that are over are freed by a timer of `inventory`, four times a minute; nobody waits for
#: that (`products.stock.availability`).
RESERVATIONS = Query(
    """
    SELECT count(*) AS reservations_held,
           count(*) FILTER (WHERE expires_at <= :now) AS reservations_overdue,
           extract(epoch FROM :now - min(expires_at) FILTER (WHERE expires_at <= :now))::float
               AS reservation_overdue_seconds
    FROM (
        SELECT expires_at FROM reservations WHERE state = 'reserved'
        ORDER BY expires_at LIMIT :most
    ) AS held
    """,
    {
        "reservations_held": "Orders that hold stock, 100,000 at most.",
        "reservations_overdue": "Those of them whose time is over.",
        "reservation_overdue_seconds": "For how long the oldest of those is overdue.",
    },
)
