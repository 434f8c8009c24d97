"""What carts and orders take and publish, and what they need of others' answers and events."""

from marshmallow import Schema, fields

from chassis import staff
from chassis.fields import (
    ActorField,
    Choice,
    Currency,
    Dict,
    Expected,
    Id,
    Integer,
    Key,
    Money,
    Page,
    PostalAddress,
    Quantity,
    Request,
    SingleLine,
    String,
    Text,
    Timestamp,
    Uuid,
)
from chassis.fields import List as ListOf
from orders.checkout.pricing import MAX_LINES, MAX_QUANTITY
from orders.order import lifecycle

#: What one answer of `products` and of `payments` holds at most.
MAX_PRODUCTS, MAX_PAYMENTS = 200, 100

_STATUSES = [str(status) for status in lifecycle.Status]
_PAYMENT_STATUSES = [str(status) for status in lifecycle.Payment]


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
    items = ListOf(fields.Nested(Item), min=1, max=MAX_LINES, load_default=None, allow_none=True)
    shipping_address = fields.Nested(PostalAddress, load_default=None, allow_none=True)
    expected_total = Money(load_default=None, allow_none=True)
    currency = Currency(load_default=None, allow_none=True)
    key = Key(load_default=None, allow_none=True)


class OrderOf(Request):
    """get, hide, timeline: one order."""

    order_id = Uuid(required=True)
    actor = ActorField()


class List(Page):
    """list: orders, newest first; `from_` and `to` bound the moment of placing. `number` is that of
    an order, or the beginning of its id; `search` (staff) that, or words about its buyer."""

    actor = ActorField()
    user_id = Uuid(load_default=None, allow_none=True)
    status = Choice(_STATUSES, load_default=None, allow_none=True)
    payment_status = Choice(_PAYMENT_STATUSES, load_default=None, allow_none=True)
    number = SingleLine(max=40, load_default=None, allow_none=True)
    search = Text(max=100, load_default=None, allow_none=True)
    from_ = Timestamp(load_default=None, allow_none=True)
    to = Timestamp(load_default=None, allow_none=True)


class Update(OrderOf):
    """update: another address, or the next status."""

    shipping_address = fields.Nested(PostalAddress, load_default=None, allow_none=True)
    status = Choice(_STATUSES, load_default=None, allow_none=True)
    version = Id(load_default=None, allow_none=True)


class Cancel(OrderOf):
    """cancel: with the canceller's words, if any."""

    reason = Text(max=500, load_default=None, allow_none=True)


class Pay(OrderOf):
    """pay: `method` is read by payments alone; nobody else keeps or logs it."""

    method = Dict(keys=String(max=50), values=String(max=500), max=10, required=True)
    key = Key(load_default=None, allow_none=True)


class ListCheckouts(Page):
    """list_checkouts: those under way, the oldest first."""

    actor = ActorField()
    state = Choice(["open", "undoing", "paying", "stuck"], load_default=None, allow_none=True)


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
    **staff.EVENTS,
}


# What we need of others


class Product(Expected):
    """products.get_many: one product."""

    id = Id(required=True)
    name = String(max=200, required=True)
    price = Money(required=True)
    currency = Currency(required=True)
    available = Integer(min=-(2**31), max=2**31 - 1, required=True)


class Products(Expected):
    """products.get_many."""

    items = ListOf(fields.Nested(Product), max=MAX_PRODUCTS, required=True)


class PaymentNews(Expected):
    """payments.payment_succeeded and payment_failed: a payment came to an end."""

    payment_id = Uuid(required=True)
    order_id = Uuid(required=True)
    user_id = Uuid(required=True)
    amount = Money(required=True)
    currency = Currency(required=True)
    failure_code = String(max=100, load_default=None, allow_none=True)


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
    status = String(max=100, required=True)
    amount = Money(required=True)
    currency = Currency(required=True)


class Payments(Expected):
    """payments.list: newest first."""

    items = ListOf(fields.Nested(Payment), max=MAX_PAYMENTS, required=True)


class NotificationSent(Expected):
    """notifications.notification_sent: of interest when it is about an order."""

    notification_id = Uuid(required=True)
    order_id = Uuid(load_default=None, allow_none=True)
    channel = String(max=100, required=True)
