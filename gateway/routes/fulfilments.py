"""The parcels of orders, and what of an order will not be shipped."""

from uuid import UUID

from chassis.messages import Json
from chassis.web import Request, Response, expected_version, route
from contracts.orders.answers import Fulfilment, FulfilmentPage, Order
from contracts.orders.interface import Orders
from gateway.access import STAFF, USER
from gateway.responses import created, replayable
from gateway.schemas.common import Keyed, OrderPath, idempotency_key
from gateway.schemas.fulfilments import (
    FulfilmentChange,
    FulfilmentPath,
    FulfilmentQuery,
    ItemCancellation,
    NewFulfilment,
)


class FulfilmentRoutes:
    """`/api/orders/{order_id}/fulfilments`, `/api/fulfilments…`: packed and sent by staff; buyers
    see those of their orders."""

    orders: Orders

    @route(
        "POST",
        "/api/orders/{order_id}/fulfilments",
        who=STAFF,
        headers=Keyed,
        path=OrderPath,
        body=NewFulfilment,
        answer=Fulfilment,
        status=201,
        etag=True,
        faults=(409,),
    )
    def fulfil_order(self, request: Request, order_id: UUID, body: Json) -> Response:
        """Send a parcel with units of a paid order, or all that is left of it.

        With `"state": "packing"` it has not left yet, but nobody else can pack its units. More
        than is left is the conflict `nothing_left_to_ship`.
        """
        key = idempotency_key(request)
        parcel = self.orders.fulfil(order_id=order_id, key=key, actor=request.actor, **body)
        return created("/api/fulfilments", parcel)

    @route(
        "GET",
        "/api/orders/{order_id}/fulfilments",
        who=USER,
        path=OrderPath,
        query=FulfilmentQuery,
        answer=FulfilmentPage,
    )
    def list_fulfilments(self, request: Request, order_id: UUID, query: Json) -> Json:
        """The parcels of an order, oldest first."""
        return self.orders.list_fulfilments(order_id=order_id, actor=request.actor, **query)

    @route(
        "GET",
        "/api/fulfilments/{fulfilment_id}",
        who=USER,
        path=FulfilmentPath,
        answer=Fulfilment,
        etag=True,
    )
    def get_fulfilment(self, request: Request, fulfilment_id: UUID) -> Json:
        """One parcel."""
        return self.orders.get_fulfilment(fulfilment_id=fulfilment_id, actor=request.actor)

    @route(
        "PATCH",
        "/api/fulfilments/{fulfilment_id}",
        who=STAFF,
        path=FulfilmentPath,
        body=FulfilmentChange,
        answer=Fulfilment,
        etag=True,
        faults=(409,),
    )
    def change_fulfilment(self, request: Request, fulfilment_id: UUID, body: Json) -> Json:
        """Say how a parcel travels, that it has left (`shipped`), or that it has arrived
        (`delivered`)."""
        return self.orders.update_fulfilment(
            fulfilment_id=fulfilment_id,
            actor=request.actor,
            version=expected_version(request),
            **body,
        )

    @route(
        "POST",
        "/api/fulfilments/{fulfilment_id}/cancel",
        who=STAFF,
        path=FulfilmentPath,
        answer=Fulfilment,
        faults=(409,),
    )
    def cancel_fulfilment(self, request: Request, fulfilment_id: UUID) -> Json:
        """Take a parcel apart that has not left; its units can be packed again."""
        return self.orders.cancel_fulfilment(fulfilment_id=fulfilment_id, actor=request.actor)

    @route(
        "POST",
        "/api/orders/{order_id}/cancel_items",
        who=STAFF,
        headers=Keyed,
        path=OrderPath,
        body=ItemCancellation,
        answer=Order,
        faults=(409,),
    )
    def cancel_order_items(self, request: Request, order_id: UUID, body: Json) -> Response:
        """Cancel units of a paid order that are not shipped; their stock is freed, their money
        refunded.

        What shipping cost stays paid, unless nothing of the order is left: then it is cancelled.
        An `Idempotency-Key` makes one cancellation of the order, whichever clerk sends it.
        """
        key = idempotency_key(request)
        order = self.orders.cancel_items(order_id=order_id, key=key, actor=request.actor, **body)
        return replayable(order)
