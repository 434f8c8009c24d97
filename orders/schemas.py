"""What carts and orders take and publish, and what they need of others' answers and events."""

from marshmallow import Schema, fields, validate

from chassis.fields import (
    ActorField,
    Currency,
    Expected,
    Id,
    Money,
    Page,
    PostalAddress,
    Quantity,
    Request,
    Text,
    Timestamp,
    Uuid,
)
from orders import lifecycle
from orders.pricing import MAX_LINES, MAX_QUANTITY

_STATUS = validate.OneOf([str(status) for status in lifecycle.Status])
_PAYMENT_STATUS = validate.OneOf([str(status) for status in lifecycle.Payment])


# Carts


class CartOf(Request):
    """get, clear: a user's cart."""

    user_id = Uuid(required=True)


class CartItem(CartOf):
    """add_item, update_quantity: so many of a product."""

    product_id = Id(required=True)
    quantity = Quantity(required=True, max=MAX_QUANTITY)


class RemoveItem(CartOf):
    """remove_item: a product; all of it unless `quantity` says how many."""

    product_id = Id(required=True)
    quantity = Quantity(max=MAX_QUANTITY, load_default=None, allow_none=True)


# Orders


class Item(Request):
    """A product of an order, with the unit price that the buyer was shown."""

    product_id = Id(required=True)
    quantity = Quantity(required=True, max=MAX_QUANTITY)
    price = Money(load_default=None, allow_none=True)


class Place(Request):
    """place: an order of `items`, or of the cart; `currency` is that of the prices and the total
    which the buyer was shown."""

    user_id = Uuid(required=True)
    items = fields.List(
        fields.Nested(Item),
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=MAX_LINES),
    )
    shipping_address = fields.Nested(PostalAddress, load_default=None, allow_none=True)
    expected_total = Money(load_default=None, allow_none=True)
    currency = Currency(load_default=None, allow_none=True)
    key = Text(max=200, load_default=None, allow_none=True)


class OrderOf(Request):
    """get, hide, timeline: one order."""

    order_id = Uuid(required=True)
    actor = ActorField()


class List(Page):
    """list: orders, newest first; `from_` and `to` bound the moment of placing. `number` is that of
    an order, or the beginning of its id; `search` (staff) that, or words about its buyer."""

    actor = ActorField()
    user_id = Uuid(load_default=None, allow_none=True)
    status = fields.String(validate=_STATUS, load_default=None, allow_none=True)
    payment_status = fields.String(validate=_PAYMENT_STATUS, load_default=None, allow_none=True)
    number = Text(max=40, load_default=None, allow_none=True)
    search = Text(max=100, load_default=None, allow_none=True)
    from_ = Timestamp(load_default=None, allow_none=True)
    to = Timestamp(load_default=None, allow_none=True)


class Update(OrderOf):
    """update: another address, or the next status."""

    shipping_address = fields.Nested(PostalAddress, load_default=None, allow_none=True)
    status = fields.String(validate=_STATUS, load_default=None, allow_none=True)
    version = Id(load_default=None, allow_none=True)


class Cancel(OrderOf):
    """cancel: with the canceller's words, if any."""

    reason = Text(max=500, load_default=None, allow_none=True)


class Pay(OrderOf):
    """pay: `method` is read by payments alone; nobody else keeps or logs it."""

    method = fields.Raw(required=True)
    key = Text(max=200, load_default=None, allow_none=True)


class ListCheckouts(Page):
    """list_checkouts: those under way, the oldest first."""

    actor = ActorField()
    state = fields.String(
        validate=validate.OneOf(["open", "undoing", "paying", "stuck"]),
        load_default=None,
        allow_none=True,
    )


# Events


class OrderEvent(Schema):
    """order_*: what happened to an order, and why."""

    order_id = Uuid(required=True)
    number = fields.String(required=True)
    user_id = Uuid(required=True)
    total = Money(required=True)
    currency = Currency(required=True)
    version = fields.Integer(required=True)
    cause = fields.String(required=True)


class RefundDue(Schema):
    """refund_due: money of this payment has to go back."""

    order_id = Uuid(required=True)
    payment_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)
    reason = fields.String(required=True)


EVENTS = {
    "order_placed": OrderEvent,
    "order_paid": OrderEvent,
    "order_shipped": OrderEvent,
    "order_delivered": OrderEvent,
    "order_cancelled": OrderEvent,
    "refund_due": RefundDue,
}


# What we need of others


class Product(Expected):
    """products.get_many: one product."""

    id = Id(required=True)
    name = fields.String(required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    available = fields.Integer(required=True)


class Products(Expected):
    """products.get_many."""

    items = fields.List(fields.Nested(Product), required=True)


class FoundUser(Expected):
    """users.find: one user."""

    id = Uuid(required=True)


class FoundUsers(Expected):
    """users.find: the newest first."""

    items = fields.List(fields.Nested(FoundUser), required=True)


class DefaultAddress(Expected):
    """users.default_address."""

    line1 = fields.String(required=True)
    line2 = fields.String(load_default=None, allow_none=True)
    city = fields.String(required=True)
    region = fields.String(load_default=None, allow_none=True)
    postal_code = fields.String(required=True)
    country = fields.String(required=True)


class PaymentNews(Expected):
    """payments.payment_succeeded and payment_failed: a payment came to an end."""

    payment_id = Uuid(required=True)
    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)
    failure_code = fields.String(load_default=None, allow_none=True)


class PaymentRefunded(Expected):
    """payments.payment_refunded: `refunded_total` of a payment has gone back by now."""

    payment_id = Uuid(required=True)
    order_id = Uuid(required=True)
    amount = Money(required=True)
    refunded_total = Money(required=True)


class Payment(Expected):
    """payments.charge and list: one payment."""

    id = Uuid(required=True)
    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    status = fields.String(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)


class Payments(Expected):
    """payments.list: newest first."""

    items = fields.List(fields.Nested(Payment), required=True)


class NotificationSent(Expected):
    """notifications.notification_sent: of interest when it is about an order."""

    notification_id = Uuid(required=True)
    order_id = Uuid(load_default=None, allow_none=True)
    channel = fields.String(required=True)
