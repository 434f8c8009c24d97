"""Carts and orders."""

from marshmallow import ValidationError, fields, validates_schema

from chassis.fields import (
    Choice,
    Currency,
    Id,
    List,
    Money,
    Page,
    PostalAddress,
    Quantity,
    Request,
    SingleLine,
    Text,
    Timestamp,
    Uuid,
)
from gateway.schemas import common

_STATUSES = ["pending", "processing", "shipped", "delivered", "cancelled"]
_PAYMENT_STATUSES = ["unpaid", "paid", "partially_refunded", "refunded"]


class CartItem(Request):
    product_id = Id(required=True)
    quantity = Quantity(required=True)


class CartRemoval(Request):
    """Without `quantity` all of it goes."""

    product_id = Id(required=True)
    quantity = Quantity()


class CartLine(common.Resource):
    """`price_changed`: another price, or in another currency, than when it was put in."""

    product_id = Id(required=True)
    name = fields.String(required=True)
    quantity = Quantity(required=True)
    unit_price = Money(required=True)
    line_total = fields.Decimal(required=True)
    currency = Currency(required=True, metadata={"description": "The currency of this line."})
    available = fields.Integer(required=True, strict=True)
    price_changed = fields.Boolean(required=True)


class Cart(common.Resource):
    """Without `total` and `currency` when its lines have come to have several currencies: such a
    cart cannot be ordered as it is."""

    items = fields.List(fields.Nested(CartLine), required=True)
    total = fields.Decimal(
        required=True,
        allow_none=True,
        metadata={"description": "The sum of all lines; null when they have several currencies."},
    )
    currency = Currency(
        required=True,
        allow_none=True,
        metadata={"description": "The currency of all lines; null when they have several."},
    )


class OrderItem(Request):
    """`price` is the unit price that was shown; another one now is a conflict."""

    product_id = Id(required=True)
    quantity = Quantity(required=True)
    price = Money()


class PlaceOrder(Request):
    """Without `items` the cart is ordered; without `shipping_address` to the default one."""

    items = List(fields.Nested(OrderItem), min=1, max=common.MAX_ITEMS)
    shipping_address = fields.Nested(PostalAddress)
    expected_total = Money()
    currency = Currency(
        metadata={
            "description": "The currency in which `price` and `expected_total` were shown."
            " Without it, for `items`, the shop's own; for the cart, that of its prices when they"
            " were put in."
        }
    )


class OrderFilter(Page):
    """Orders placed from `from` on, and before `to`."""

    status = Choice(_STATUSES)
    payment_status = Choice(_PAYMENT_STATUSES)
    number = SingleLine(
        max=40,
        metadata={
            "description": "The number of an order, with or without its hyphens; or the first"
            " eight characters of its id, by which older mails name it."
        },
    )
    from_ = Timestamp(data_key="from")
    to = Timestamp()


class OrderQuery(OrderFilter):
    user_id = Uuid()
    search = Text(
        max=100,
        metadata={
            "description": "For staff: the number of an order, or words that are in the name, user"
            " name, e-mail address or phone number of its buyer, of whom the newest 100 count."
        },
    )


class OrderChange(Request):
    """The owner gives another `shipping_address` while pending, staff the next `status`."""

    json_schema = {"minProperties": 1}

    shipping_address = fields.Nested(PostalAddress)
    status = Choice(_STATUSES)

    @validates_schema
    def _one_at_least(self, data, **kwargs):
        if not data:
            raise ValidationError("Give shipping_address or status.", "shipping_address")


class Cancellation(Request):
    reason = Text(max=500)


class OrderLine(common.Resource):
    product_id = Id(required=True)
    name = fields.String(required=True)
    quantity = Quantity(required=True)
    unit_price = Money(required=True)
    line_total = fields.Decimal(required=True)


class ShippingAddress(common.Resource):
    """As it was when the order was placed, or last readdressed."""

    name = fields.String(required=True, allow_none=True)
    company = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    line1 = fields.String(required=True)
    line2 = fields.String(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    region = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)
    country = fields.String(required=True)


class Order(common.Resource):
    id = Uuid(required=True)
    number = fields.String(
        required=True,
        metadata={"description": "The number that people know the order by; mails have it."},
    )
    user_id = Uuid(required=True)
    status = Choice(_STATUSES, required=True)
    payment_status = Choice(_PAYMENT_STATUSES, required=True)
    items = fields.List(fields.Nested(OrderLine), required=True)
    total = fields.Decimal(required=True)
    currency = Currency(required=True)
    shipping_address = fields.Nested(ShippingAddress, required=True)
    cancel_reason = fields.String(required=True, allow_none=True)
    created_at = Timestamp(required=True)
    expires_at = Timestamp(required=True, allow_none=True)
    version = Id(required=True)


class TimelineEntry(common.Resource):
    at = Timestamp(required=True)
    kind = fields.String(required=True)
    cause = fields.String(required=True)
    actor = fields.String(required=True)
    detail = fields.Dict(keys=fields.String(), required=True)
    trace_id = fields.String(required=True, allow_none=True)


class Timeline(common.Resource):
    items = fields.List(fields.Nested(TimelineEntry), required=True)


OrderPage = common.page_of(Order)
