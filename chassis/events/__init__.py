"""Events that are neither lost nor applied twice.

Publishing: `EventOutbox.record` writes a row in the caller's transaction; a relay publishes it with
the broker's confirmation. Handling: `event_handler` with `Database.once`, which writes an inbox row
in the handler's transaction; failures are retried with growing pauses, then become dead letters.
"""

from chassis.events.handler import event_handler
from chassis.events.outbox import EventOutbox
from chassis.messages import Event

__all__ = ["Event", "EventOutbox", "event_handler"]
