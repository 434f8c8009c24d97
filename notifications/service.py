"""The Nameko service `notifications`."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.clock import Clock, Now
from chassis.config import Settings
from chassis.database import Database, Handle
from chassis.events import EventOutbox, event_handler
from chassis.events.broadcast import Broadcast
from chassis.events.outbox import Recorder
from chassis.external import ExternalCall, ExternalCalls
from chassis.identity import Actor
from chassis.messages import Event, Json
from chassis.metrics.custom import DatabaseGauges
from chassis.origin import Network
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service
from chassis.timers import timer
from chassis.trace import TraceContext, WorkTrace
from contracts.notifications import answers, requests
from contracts.notifications.events import BROADCASTS, EVENTS
from contracts.orders.events import FulfilmentEvent, OrderEvent, OrderItemsCancelled
from contracts.payments.events import PaymentFailed, PaymentRefunded, PaymentSucceeded
from contracts.users import events as user_events
from contracts.users.events import EmailVerificationRequested, PasswordResetRequested
from contracts.users.interface import Users
from notifications import jobs, metrics, models
from notifications.feed import commands as feed_commands
from notifications.feed import queries as feed_queries
from notifications.feed import stream as feed_stream
from notifications.settings import NotificationsSettings

#: Seconds between two rounds of the delivery; one that needs longer is followed at once.
ROUND = 2
#: Events that one transaction announces at most.
BATCH = 50


class NotificationsService(Service):
    """Tells users what happened, on the channels they have."""

    name = "notifications"

    db: Handle = Database(models.Base, package="notifications")
    events: Recorder = EventOutbox(EVENTS)
    broadcast = Broadcast(BROADCASTS)
    clock: Now = Clock()
    settings: Mapping[str, Any] = Settings(NotificationsSettings, section="notifications")
    trace: WorkTrace = TraceContext()
    external_call: ExternalCall = ExternalCalls()
    network: str | None = Network()
    users: Users = RpcProxy("users", timeout=5)
    gauges = DatabaseGauges(metrics.PENDING)

    @rpc(
        requests.Send,
        answers.KeyedNotification,
        once=True,
        sensitive_arguments=("message.subject", "message.body"),
    )
    def send(self, actor: Actor, key: str | None, **message: Any) -> Json:
        """Write a message to a user (staff, or the system), once per key."""
        return feed_commands.send(self, actor, key, **message)

    @rpc(requests.ListNotifications, answers.NotificationPage)
    def list(self, user_id: UUID, actor: Actor, **page: Any) -> Json:
        """A user's notifications, newest first, for that user or staff."""
        with self.db.autocommit() as connection:
            return feed_queries.list_of(connection, user_id, actor, **page)

    @rpc(requests.Since, answers.FeedPart)
    def since(self, user_id: UUID, after: int | None, limit: int) -> Json:
        """What came into a user's feed after a position, oldest first, and the position reached."""
        with self.db.autocommit() as connection:
            return feed_stream.since(connection, user_id, after, limit, self.clock())

    @rpc(requests.Positions, answers.Positions)
    def positions(self, user_ids: Sequence[UUID]) -> Json:
        """How far each of these users' feeds has come, for somebody who watches them."""
        with self.db.autocommit() as connection:
            return feed_stream.positions(connection, user_ids, self.clock())

    @rpc(requests.SentAbout, answers.SentMessages)
    def sent_about(self, order_id: UUID, limit: int) -> Json:
        """The mails and text messages about an order that have left, without their words."""
        with self.db.autocommit() as connection:
            return feed_queries.sent_about(connection, order_id, limit)

    @rpc(requests.MarkRead, answers.Notification)
    def mark_read(self, notification_id: UUID, read: bool, actor: Actor) -> Json:
        """Mark as read, or as unread."""
        return feed_commands.mark_read(self, actor, notification_id, read)

    @event_handler("users", "user_registered", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "password_changed", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "email_change_requested", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "email_changed", user_events.EmailChanged, batch=BATCH)
    @event_handler("users", "totp_enabled", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "totp_disabled", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "recovery_code_used", user_events.RecoveryCodeUsed, batch=BATCH)
    @event_handler("users", "recovery_codes_renewed", user_events.UserEvent, batch=BATCH)
    @event_handler("orders", "order_placed", OrderEvent, batch=BATCH)
    @event_handler("orders", "order_paid", OrderEvent, batch=BATCH)
    @event_handler("orders", "order_cancelled", OrderEvent, batch=BATCH)
    @event_handler("orders", "order_items_cancelled", OrderItemsCancelled, batch=BATCH)
    @event_handler("orders", "fulfilment_shipped", FulfilmentEvent, batch=BATCH)
    @event_handler("orders", "fulfilment_delivered", FulfilmentEvent, batch=BATCH)
    @event_handler("orders", "fulfilment_cancelled", FulfilmentEvent, batch=BATCH)
    @event_handler("payments", "payment_succeeded", PaymentSucceeded, batch=BATCH)
    @event_handler("payments", "payment_failed", PaymentFailed, batch=BATCH)
    @event_handler("payments", "payment_refunded", PaymentRefunded, batch=BATCH)
    def announce(self, events: Sequence[Event]) -> None:
        """Write the notifications that tell of events."""
        feed_commands.announce(self, events)

    @event_handler("users", "password_reset_requested", PasswordResetRequested, batch=BATCH)
    def offer_reset(self, events: Sequence[Event]) -> None:
        """Write the mails with the way to a new password."""
        feed_commands.announce_requests(self, events, "reset_id")

    @event_handler("users", "email_verification_requested", EmailVerificationRequested, batch=BATCH)
    def offer_verification(self, events: Sequence[Event]) -> None:
        """Write the mails that have an address confirmed."""
        feed_commands.announce_requests(self, events, "verification_id")

    @timer(interval=60)
    def purge(self) -> None:
        """Delete keys that are over, and recipients that had nothing for a day."""
        jobs.purge(self)

    @timer(interval=ROUND)
    def deliver(self) -> None:
        """Send what is pending."""
        jobs.deliver(self, datetime.timedelta(seconds=ROUND))
