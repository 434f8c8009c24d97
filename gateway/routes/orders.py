"""Orders."""

from typing import Any
from uuid import UUID

from chassis.errors import Fault
from chassis.messages import Json
from chassis.rpc import RpcProxy
from chassis.web import Request, Response, expected_version, route
from contracts.notifications.interface import Notifications
from contracts.orders.answers import Order, OrderPage, Timeline
from contracts.orders.interface import Orders
from gateway.access import ADMIN, USER
from gateway.catalog_cache import CatalogCache
from gateway.responses import created
from gateway.schemas.common import Keyed, OrderPath, UserPath, idempotency_key
from gateway.schemas.orders import Cancellation, OrderChange, OrderFilter, OrderQuery, PlaceOrder
from gateway.timeline import with_mails


class OrderRoutes:
    """`/api/orders…`: one's own orders; for staff, everybody's."""

    orders: Orders = RpcProxy("orders", timeout=14)
    #: For what an answer can do without, which waits no longer.
    mails: Notifications = RpcProxy("notifications", timeout=2)
    catalog_cache: CatalogCache
    log: Any

    @route(
        "POST",
        "/api/orders",
        who=USER,
        headers=Keyed,
        body=PlaceOrder,
        answer=Order,
        status=201,
        etag=True,
        faults=(409,),
    )
    def place_order(self, request: Request, body: Json) -> Response:
        """Place an order for what is in your cart, or for the items given.

        Stock is held until `expires_at`; the order has to be paid by then. An `Idempotency-Key`
        makes it safe to send again.
        """
        key = idempotency_key(request)
        order = self.orders.place(user_id=request.actor.user_id, key=key, **body)
        self.catalog_cache.forget_stock([item["product_id"] for item in order["items"]])
        return created("/api/orders", order)

    @route("GET", "/api/orders", who=USER, query=OrderQuery, answer=OrderPage, faults=(403, 404))
    def list_orders(self, request: Request, query: Json) -> Json:
        """Your orders, newest first; for staff, the orders of all users.

        `search` is for staff: it finds orders by number, and by their buyers.
        """
        return self.orders.list(actor=request.actor, **query)

    @route(
        "GET",
        "/api/orders/user/{user_id}",
        who=USER,
        path=UserPath,
        query=OrderFilter,
        answer=OrderPage,
    )
    def list_orders_of_user(self, request: Request, user_id: UUID, query: Json) -> Json:
        """A user's orders, newest first."""
        return self.orders.list(actor=request.actor, user_id=user_id, **query)

    @route("GET", "/api/orders/{order_id}", who=USER, path=OrderPath, answer=Order, etag=True)
    def get_order(self, request: Request, order_id: UUID) -> Json:
        """One order."""
        return self.orders.get(order_id=order_id, actor=request.actor)

    @route(
        "PUT",
        "/api/orders/{order_id}",
        who=USER,
        path=OrderPath,
        body=OrderChange,
        answer=Order,
        etag=True,
        faults=(403, 409),
    )
    def replace_order(self, request: Request, order_id: UUID, body: Json) -> Json:
        """The same as PATCH: nothing else of an order can be changed."""
        version = expected_version(request)
        return self.orders.update(order_id=order_id, actor=request.actor, version=version, **body)

    @route(
        "PATCH",
        "/api/orders/{order_id}",
        who=USER,
        path=OrderPath,
        body=OrderChange,
        answer=Order,
        etag=True,
        faults=(403, 409),
    )
    def change_order(self, request: Request, order_id: UUID, body: Json) -> Json:
        """Change the address of a pending order, or (staff) move it to its next state."""
        version = expected_version(request)
        return self.orders.update(order_id=order_id, actor=request.actor, version=version, **body)

    @route(
        "POST",
        "/api/orders/{order_id}/cancel",
        who=USER,
        path=OrderPath,
        body=Cancellation,
        answer=Order,
        faults=(409,),
    )
    def cancel_order(self, request: Request, order_id: UUID, body: Json) -> Json:
        """Cancel an order that is not shipped; its stock is freed, its money refunded."""
        return self.orders.cancel(order_id=order_id, actor=request.actor, **body)

    @route("DELETE", "/api/orders/{order_id}", who=ADMIN, path=OrderPath, status=204, faults=(409,))
    def hide_order(self, request: Request, order_id: UUID) -> None:
        """Hide a finished order: nobody sees it any more, but its record is kept."""
        self.orders.hide(order_id=order_id, actor=request.actor)

    @route("GET", "/api/orders/{order_id}/timeline", who=USER, path=OrderPath, answer=Timeline)
    def get_timeline(self, request: Request, order_id: UUID) -> Json:
        """What happened to an order: when, why and by whom.

        The mails about it are left out while it can't be told which of them have left.
        """
        timeline = self.orders.timeline(order_id=order_id, actor=request.actor)
        try:
            sent = self.mails.sent_about(order_id=order_id)["items"]
        except Fault as fault:
            self.log.warning("timeline_without_mails", order_id=str(order_id), code=fault.code)
            return timeline
        return {"items": with_mails(timeline["items"], sent)}
