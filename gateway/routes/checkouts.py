"""Checkouts under way, for staff."""

from uuid import UUID

from chassis.messages import Json
from chassis.web import Request, route
from contracts.orders.answers import CheckoutOutcome, CheckoutPage
from contracts.orders.interface import Orders
from gateway.access import STAFF
from gateway.schemas.common import OrderPath
from gateway.schemas.orders import CheckoutQuery


class CheckoutRoutes:
    """`/api/admin/checkouts…`: what is between a cart and a paid order, and does not move."""

    orders: Orders

    @route("GET", "/api/admin/checkouts", who=STAFF, query=CheckoutQuery, answer=CheckoutPage)
    def list_checkouts(self, request: Request, query: Json) -> Json:
        """Checkouts that are under way or stuck, oldest first."""
        return self.orders.list_checkouts(actor=request.actor, **query)

    @route(
        "POST",
        "/api/admin/checkouts/{order_id}/retry",
        who=STAFF,
        path=OrderPath,
        answer=CheckoutOutcome,
        faults=(409,),
    )
    def retry_checkout(self, request: Request, order_id: UUID) -> Json:
        """Take the next step of a checkout now, instead of at `due_at`.

        Safe to send again. One that its buyer may be at is a conflict.
        """
        return self.orders.retry_checkout(order_id=order_id, actor=request.actor)

    @route(
        "POST",
        "/api/admin/checkouts/{order_id}/undo",
        who=STAFF,
        path=OrderPath,
        answer=CheckoutOutcome,
        faults=(409,),
    )
    def undo_checkout(self, request: Request, order_id: UUID) -> Json:
        """Give up a checkout: free its stock, and cancel its order if there is one.

        Safe to send again. When its money has come, that is a conflict: retry, or cancel the order.
        """
        return self.orders.undo_checkout(order_id=order_id, actor=request.actor)
