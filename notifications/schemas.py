"""What the notifications service takes, answers and publishes, and what it needs of others."""

from marshmallow import Schema, fields

from chassis import staff
from chassis.fields import (
    ActorField,
    Boolean,
    Choice,
    Currency,
    Expected,
    Integer,
    Key,
    Money,
    Page,
    Request,
    SingleLine,
    String,
    Text,
    Timestamp,
    Uuid,
)
from chassis.fields import List as ListOf

CHANNELS = ("email", "sms", "in_app")
STATUSES = ("pending", "sent", "failed", "skipped", "suppressed")


class Send(Request):
    """send: a message to one user on one channel."""

    user_id = Uuid(required=True)
    channel = Choice(CHANNELS, required=True)
    subject = SingleLine(required=True, max=200)
    body = Text(required=True, max=5000)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class List(Page):
    """list: a user's notifications; `unread` true or false leaves only those."""

    user_id = Uuid(required=True)
    unread = Boolean(load_default=None, allow_none=True)
    actor = ActorField()


class Get(Request):
    """get: one notification."""

    notification_id = Uuid(required=True)
    actor = ActorField()


class MarkRead(Request):
    """mark_read: that its owner has, or has not, read it."""

    notification_id = Uuid(required=True)
    read = Boolean(required=True)
    actor = ActorField()


class Notification(Schema):
    """A notification, as answered."""

    id = Uuid(required=True)
    user_id = Uuid(required=True)
    channel = Choice(CHANNELS, required=True)
    subject = fields.String(required=True)
    body = fields.String(required=True)
    status = Choice(STATUSES, required=True)
    failure_code = fields.String(required=True, allow_none=True)
    read = fields.Boolean(required=True)
    created_at = Timestamp(required=True)


class Since(Request):
    """since: what came into a user's feed after a position; without one, how far it has come."""

    user_id = Uuid(required=True)
    after = Integer(min=0, max=2**63 - 1, load_default=None, allow_none=True)
    limit = Integer(min=1, max=100, load_default=100)


class Positions(Request):
    """positions: how far feeds have come."""

    user_ids = ListOf(Uuid(), max=500, required=True)


class FeedItem(Notification):
    """A notification of a feed, in its place there."""

    order_id = Uuid(required=True, allow_none=True)
    position = fields.Integer(required=True)


class Position(Schema):
    """How far one feed has come."""

    user_id = Uuid(required=True)
    last = fields.Integer(required=True)


class FeedGrew(Schema):
    """feed_grew, told to whoever listens: there is something new in a user's feed."""

    user_id = Uuid(required=True)


NEWS = {"feed_grew": FeedGrew}


class NotificationSent(Schema):
    """notification_sent: an e-mail or text message has left; nothing tells where to, or what."""

    notification_id = Uuid(required=True)
    user_id = Uuid(required=True)
    order_id = Uuid(required=True, allow_none=True)
    channel = Choice(CHANNELS, required=True)


EVENTS = {"notification_sent": NotificationSent, **staff.EVENTS}


class UserEvent(Expected):
    """What we need of users.user_registered."""

    user_id = Uuid(required=True)


class RecoveryCodeUsed(UserEvent):
    """What we need of users.recovery_code_used: how many codes are left."""

    left = Integer(min=0, max=2**31 - 1, required=True)


class ResetRequested(Expected):
    """What we need of users.password_reset_requested; without a user there is nobody to tell."""

    reset_id = Uuid(required=True)
    user_id = Uuid(required=True, allow_none=True)


class EmailChanged(UserEvent):
    """What we need of users.email_changed; without a change there is no old address to tell."""

    change_id = Uuid(required=True, allow_none=True)


class VerificationRequested(Expected):
    """What we need of users.email_verification_requested."""

    verification_id = Uuid(required=True)
    user_id = Uuid(required=True)


class OrderEvent(Expected):
    """What we need of every orders.order_* event; those of before orders had a number have none."""

    order_id = Uuid(required=True)
    number = String(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    total = Money(required=True)
    currency = Currency(required=True)


class PaymentEvent(Expected):
    """What we need of payments.payment_succeeded; payments of before they knew the number of their
    order have none."""

    order_id = Uuid(required=True)
    order_number = String(max=40, load_default=None, allow_none=True)
    user_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)


class PaymentFailed(PaymentEvent):
    """What we need of payments.payment_failed."""

    failure_code = String(max=100, load_default=None, allow_none=True)


class PaymentRefunded(PaymentEvent):
    """What we need of payments.payment_refunded."""

    refunded_total = Money(required=True)
    reason = String(max=100, load_default=None, allow_none=True)


class ResetToken(Expected):
    """What we need of the answer of users.issue_reset_token; one of the version before has the
    token alone."""

    token = String(max=512, required=True)
    email = String(max=254, load_default=None, allow_none=True)
    holds = Integer(min=0, max=86400, load_default=1800)


class VerificationToken(Expected):
    """What we need of the answer of users.issue_verification_token."""

    token = String(max=512, required=True)
    email = String(max=254, required=True)


class OldEmail(Expected):
    """What we need of the answer of users.old_email."""

    email = String(max=254, required=True)


class Contact(Expected):
    """users.contacts: where to reach a user."""

    id = Uuid(required=True)
    email = String(max=254, load_default=None, allow_none=True)
    email_verified = Boolean(load_default=None, allow_none=True)
    phone = String(max=64, load_default=None, allow_none=True)


class Contacts(Expected):
    """What we need of the answer of users.contacts; who is not there is left out."""

    items = ListOf(fields.Nested(Contact), max=500, required=True)
