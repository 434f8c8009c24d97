"""The Nameko service `notifications`."""

import datetime

from chassis import idempotency, staff
from chassis.clock import Clock
from chassis.config import Settings
from chassis.database import Database
from chassis.errors import NotFound
from chassis.events import EventOutbox, event_handler
from chassis.events.broadcast import Broadcast
from chassis.external import ExternalCalls
from chassis.metrics.custom import DatabaseGauges
from chassis.origin import Network
from chassis.rpc import RpcProxy, rpc
from chassis.service import Service
from chassis.timers import timer
from chassis.trace import TraceContext
from contracts.notifications import answers, requests
from contracts.notifications.errors import RecipientNotFound
from contracts.notifications.events import BROADCASTS, EVENTS
from contracts.payments.events import PaymentFailed, PaymentRefunded, PaymentSucceeded
from contracts.users import answers as user_answers
from contracts.users import events as user_events
from contracts.users.interface import Users
from notifications import metrics, models, schemas
from notifications.channels.configured import channels
from notifications.channels.instrumented import instrumented
from notifications.errors import Undeliverable
from notifications.feed import store as feed
from notifications.feed import stream as feed_stream
from notifications.mail import recipients, templates
from notifications.mail.sender import Enclosure, Postman
from notifications.settings import NotificationsSettings, limits

CONTACTS = user_answers.Contacts()
RESET_TOKEN, VERIFICATION_TOKEN = user_answers.ResetToken(), user_answers.VerificationToken()
OLD_EMAIL = user_answers.OldEmail()

#: Seconds between two rounds of the delivery; one that needs longer is followed at once.
ROUND = 2
#: Events that one transaction announces at most.
BATCH = 50


class NotificationsService(Service):
    """Tells users what happened, on the channels they have."""

    name = "notifications"

    db = Database(models.Base, package="notifications")
    events = EventOutbox(EVENTS)
    broadcast = Broadcast(BROADCASTS)
    clock = Clock()
    settings = Settings(NotificationsSettings, section="notifications")
    trace = TraceContext()
    external_call = ExternalCalls()
    network = Network()
    users: Users = RpcProxy("users", timeout=5)
    gauges = DatabaseGauges(metrics.PENDING)

    @rpc(requests.Send, answers.Sent, once=True, sensitive_arguments=("subject", "body"))
    def send(self, user_id, channel, subject, body, key, actor):
        """Write a message to a user (staff, or the system), once per key."""
        feed.require_staff(actor)
        if not self.contacts([user_id]):
            raise RecipientNotFound
        with self.db.begin() as session:
            written, replayed = feed.send(
                session,
                user_id=user_id,
                channel=channel,
                subject=subject,
                body=body,
                key=key,
                actor=actor,
                cause=self.trace.saved(),
                now=self.clock(),
            )
            if not replayed:
                about = "notification", written["id"], user_id
                staff.tell(self, session, actor, "message_sent", *about, channel=channel)
            self.broadcast.publish(session, "feed_grew", {"user_id": user_id})
        return dict(written) | {"replayed": replayed}

    @rpc(requests.ListNotifications, answers.NotificationPage)
    def list(self, user_id, actor, **page):
        """A user's notifications, newest first, for that user or staff."""
        with self.db.autocommit() as connection:
            items, following = feed.of_user(connection, user_id, actor, **page)
        return {"items": items, "next": following}

    @rpc(requests.Since, answers.FeedPart)
    def since(self, user_id, after, limit):
        """What came into a user's feed after a position, oldest first, and the position reached."""
        with self.db.autocommit() as connection:
            items, reached = feed_stream.since(connection, user_id, after, limit)
        return {"items": items, "reached": reached}

    @rpc(requests.Positions, answers.Positions)
    def positions(self, user_ids):
        """How far each of these users' feeds has come."""
        with self.db.autocommit() as connection:
            return {"items": feed_stream.positions(connection, user_ids)}

    @rpc(requests.Get, answers.Notification)
    def get(self, notification_id, actor):
        """One notification, for its owner or staff."""
        with self.db.autocommit() as connection:
            return feed.get(connection, notification_id, actor)

    @rpc(requests.MarkRead, answers.Notification)
    def mark_read(self, notification_id, read, actor):
        """Mark as read, or as unread."""
        with self.db.autocommit() as connection:
            return feed.mark_read(connection, notification_id, read, actor)

    @event_handler("users", "user_registered", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "password_changed", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "email_change_requested", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "email_changed", user_events.EmailChanged, batch=BATCH)
    @event_handler("users", "totp_enabled", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "totp_disabled", user_events.UserEvent, batch=BATCH)
    @event_handler("users", "recovery_code_used", user_events.RecoveryCodeUsed, batch=BATCH)
    @event_handler("users", "recovery_codes_renewed", user_events.UserEvent, batch=BATCH)
    @event_handler("orders", "order_placed", schemas.OrderEvent, batch=BATCH)
    @event_handler("orders", "order_paid", schemas.OrderEvent, batch=BATCH)
    @event_handler("orders", "order_shipped", schemas.OrderEvent, batch=BATCH)
    @event_handler("orders", "order_delivered", schemas.OrderEvent, batch=BATCH)
    @event_handler("orders", "order_cancelled", schemas.OrderEvent, batch=BATCH)
    @event_handler("payments", "payment_succeeded", PaymentSucceeded, batch=BATCH)
    @event_handler("payments", "payment_failed", PaymentFailed, batch=BATCH)
    @event_handler("payments", "payment_refunded", PaymentRefunded, batch=BATCH)
    def announce(self, events):
        """Write the notifications that tell of events."""
        with self.db.once_each(events) as (session, fresh):
            feed.announce(session, fresh, self.clock())
            for user_id in {event.payload["user_id"] for event in fresh}:
                self.broadcast.publish(session, "feed_grew", {"user_id": user_id})

    @event_handler("users", "password_reset_requested", user_events.PasswordResetRequested)
    def offer_reset(self, event):
        """Write the mail with the way to a new password."""
        with self.db.once(event) as session:
            if event.payload["user_id"] is not None:
                reset_id = event.payload["reset_id"]
                feed.mail(session, event, self.trace.saved(), self.clock(), reset_id=reset_id)

    @event_handler("users", "email_verification_requested", user_events.EmailVerificationRequested)
    def offer_verification(self, event):
        """Write the mail that has an address confirmed."""
        with self.db.once(event) as session:
            asked = event.payload["verification_id"]
            feed.mail(session, event, self.trace.saved(), self.clock(), verification_id=asked)

    @timer(interval=60)
    def forget_keys(self):
        """Drop keys that are over, and recipients that had nothing for a day."""
        idempotency.forget(self.db.begin, models.RequestKey, self.clock())
        with self.db.begin() as session:
            recipients.purge(session, self.clock())

    @timer(interval=ROUND)
    def deliver(self):
        """Send what is pending."""
        Postman(
            self.db.begin,
            self.clock,
            self.contacts,
            self.enclosure,
            instrumented(channels(self.settings), self.settings, self.external_call),
            self.events.record_many,
            self.trace.continuing,
            self.log,
            max_attempts=self.settings["max_attempts"],
            limits=limits(self.settings),
        ).run(datetime.timedelta(seconds=ROUND))

    def contacts(self, user_ids):
        """Where these users can be reached at this moment; who is gone is left out."""
        answer = CONTACTS.load(self.users.contacts(user_ids=user_ids))
        return {contact["id"]: contact for contact in answer["items"]}

    def enclosure(self, message):
        """What a mail gets when it goes; a token is made for this mail, and kept nowhere."""
        if message.reset_id is not None:
            return self._way_to_reset(message.reset_id)
        if message.verification_id is not None:
            return self._way_to_verify(message.verification_id)
        found = self._asked("notice_over", self.users.old_email, change_id=message.email_change_id)
        return Enclosure(OLD_EMAIL.load(found)["email"], "")

    def _way_to_reset(self, reset_id):
        answer = self._asked("reset_over", self.users.issue_reset_token, reset_id=reset_id)
        found = RESET_TOKEN.load(answer)
        link = self.settings["reset_link"]
        return Enclosure(
            found["email"], templates.way_to_reset(found["token"], link, found["holds"])
        )

    def _way_to_verify(self, verification_id):
        issue = self.users.issue_verification_token
        answer = self._asked("verification_over", issue, verification_id=verification_id)
        found = VERIFICATION_TOKEN.load(answer)
        link = self.settings["verification_link"]
        return Enclosure(found["email"], templates.way_to_verify(found["token"], link))

    @staticmethod
    def _asked(over, call, **request):
        """The answer of `users`; `Undeliverable` for the reason `over` when there is none."""
        try:
            return call(**request)
        except NotFound:
            raise Undeliverable(over) from None
