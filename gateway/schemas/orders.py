"""Carts, orders, and checkouts under way."""

from marshmallow import fields

from chassis.fields import List, SingleLine, Timestamp
from contracts.carts import requests as carts
from contracts.inventory.fields import MAX_LINES
from contracts.orders import requests
from gateway.schemas.derive import body, query

CartItem = body("CartItem", carts.CartItem, without=("user_id",))
CartRemoval = body(
    "CartRemoval", carts.RemoveItem, "Without `quantity` all of it goes.", without=("user_id",)
)
CartAddressChange = body(
    "CartAddressChange",
    carts.SetAddress,
    "`region` and `postal_code` where tax or shipping depend on them.",
    without=("user_id",),
    region=SingleLine(max=100, load_default=None, allow_none=True),
    postal_code=SingleLine(max=20, load_default=None, allow_none=True),
)
OrderItem = body(
    "OrderItem",
    requests.Item,
    "`price` is the unit price that was shown; another one now is a conflict.",
)
PlaceOrder = body(
    "PlaceOrder",
    requests.Place,
    "Without `items` the cart is ordered; without `shipping_address` to the default one.",
    without=("user_id", "key"),
    items=List(fields.Nested(OrderItem), min=1, max=MAX_LINES),
)
OrderQuery = query(
    "OrderQuery", requests.ListOrders, without=("actor",), from_=Timestamp(data_key="from")
)
OrderFilter = query(
    "OrderFilter",
    requests.ListOrders,
    "Orders placed from `from` on, and before `to`.",
    without=("actor", "user_id", "search"),
    from_=Timestamp(data_key="from"),
)
OrderChange = body(
    "OrderChange",
    requests.Update,
    "The owner gives another `shipping_address` while pending, staff the next `status`.",
    without=("order_id", "actor", "version"),
)
Cancellation = body("Cancellation", requests.Cancel, without=("order_id", "actor"))
CheckoutQuery = query(
    "CheckoutQuery",
    requests.ListCheckouts,
    "Without `state` all that are under way; `stuck` are those that should be over long ago.",
    without=("actor",),
)
