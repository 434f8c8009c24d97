"""What carts and orders need of others' answers and events."""

from marshmallow import fields

from chassis.fields import Currency, Expected, Id, Integer, Money, String, Uuid
from chassis.fields import List as ListOf

#: What one answer of `products` and of `payments` holds at most.
MAX_PRODUCTS, MAX_PAYMENTS = 200, 100


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
