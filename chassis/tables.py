"""The outbox and inbox tables, as statements see them (their models: `chassis.models`)."""

from sqlalchemy import DateTime, column, table
from sqlalchemy.dialects.postgresql import JSONB, UUID

OUTBOX = table(
    "outbox",
    column("id"),
    column("event_id", UUID(as_uuid=True)),
    column("source"),
    column("type"),
    column("payload", JSONB),
    column("headers", JSONB),
    column("occurred_at", DateTime(timezone=True)),
    column("due_at", DateTime(timezone=True)),
    column("sent_at", DateTime(timezone=True)),
)

INBOX = table(
    "inbox",
    column("event_id", UUID(as_uuid=True)),
    column("handler"),
    column("handled_at", DateTime(timezone=True)),
)
