"""What Prometheus is given of messages (`chassis.gauges`)."""

from chassis.gauges import Query

PENDING = Query(
    """
    SELECT count(*) AS notifications_pending,
           extract(epoch FROM :now - min(created_at))::float AS notification_oldest_pending_seconds
    FROM (
        SELECT created_at FROM notifications WHERE status = 'pending'
        ORDER BY claimed_until LIMIT :most
    ) AS pending
    """,
    {
        "notifications_pending": "Mails and text messages that wait to be sent, 100,000 at most.",
        "notification_oldest_pending_seconds": "Age of the oldest of them; 0 when there is none.",
    },
)
