"""Events of services that do not run, put on the wire as the chassis does."""

import datetime
import uuid

import kombu


def of_order(order_id, **facts):
    """The payload of an event of orders."""
    return {
        "order_id": str(order_id),
        "number": "S-102-748-399",
        "user_id": str(uuid.uuid4()),
        "total": "49.90",
        "currency": "EUR",
        "version": 2,
        "cause": "customer",
    } | facts


def parcel(order_id, variant_id, quantity, location):
    """The payload of `fulfilment_shipped`."""
    units = {"line": 1, "variant_id": variant_id, "quantity": quantity, "name": "Kettle"}
    return {
        "fulfilment_id": str(uuid.uuid4()),
        "order_id": str(order_id),
        "number": "S-102-748-399",
        "user_id": str(uuid.uuid4()),
        "location": location,
        "carrier": None,
        "tracking_number": None,
        "tracking_url": None,
        "lines": [units],
        "complete": True,
    }


def publish(uri, source, event_type, payload, event_id=None, occurred_at=None, headers=None):
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
            headers={"nameko.occurred_at": occurred_at.isoformat()} | (headers or {}),
        )
    return event_id
