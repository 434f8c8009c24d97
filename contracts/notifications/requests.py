"""What notifications is asked."""

from chassis.fields import (
    ActorField,
    Boolean,
    Choice,
    Integer,
    Key,
    List,
    Page,
    Request,
    SingleLine,
    Text,
    Uuid,
)
from contracts.notifications.enums import Channel


class Send(Request):
    """send: a message to one user on one channel."""

    user_id = Uuid(required=True)
    channel = Choice(Channel, required=True)
    subject = SingleLine(required=True, max=200)
    body = Text(required=True, max=5000)
    key = Key(load_default=None, allow_none=True)
    actor = ActorField()


class ListNotifications(Page):
    """list: a user's notifications; `unread` true or false leaves only those."""

    user_id = Uuid(required=True)
    unread = Boolean(load_default=None, allow_none=True)
    actor = ActorField()


class Since(Request):
    """since: what came into a user's feed after a position; without one, how far it has come."""

    user_id = Uuid(required=True)
    after = Integer(min=0, max=2**63 - 1, load_default=None, allow_none=True)
    limit = Integer(min=1, max=100, load_default=100)


class Positions(Request):
    """positions: how far feeds have come."""

    user_ids = List(Uuid(), max=500, required=True)


class SentAbout(Request):
    """sent_about: the mails and text messages about an order that have left, the newest."""

    order_id = Uuid(required=True)
    limit = Integer(min=1, max=100, load_default=100)


class MarkRead(Request):
    """mark_read: that its owner has, or has not, read it."""

    notification_id = Uuid(required=True)
    read = Boolean(required=True)
    actor = ActorField()
