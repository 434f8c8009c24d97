"""Events of services that do not run, put on the wire as the chassis does."""

import datetime
import uuid

import kombu


def publish(uri, source, event_type, payload, event_id=None, occurred_at=None):
    """Publish one event of `source`; returns its id. The same id again is a duplicate."""
    event_id = event_id or uuid.uuid4()
    occurred_at = occurred_at or datetime.datetime.now(datetime.UTC)
    with kombu.Connection(uri) as connection:
        connection.Producer().publish(
            payload,
            exchange=f"{source}.events",
            routing_key=event_type,
            serializer="json",
            delivery_mode=2,
            message_id=str(event_id),
            headers={"nameko.occurred_at": occurred_at.isoformat()},
        )
    return event_id
