"""Locations, and the transfers between them."""

from uuid import UUID

from chassis.messages import Json
from chassis.web import Request, Response, expected_version, route
from contracts.inventory.answers import (
    Allocation,
    Location,
    LocationList,
    Transfer,
    TransferPage,
)
from contracts.inventory.interface import Inventory
from gateway.access import ADMIN, STAFF
from gateway.responses import created, replayable
from gateway.schemas.common import Keyed, OrderPath, idempotency_key
from gateway.schemas.locations import (
    LocationChange,
    LocationPath,
    NewLocation,
    NewTransfer,
    Receipt,
    Relocation,
    TransferPath,
    TransferQuery,
)


class LocationRoutes:
    """`/api/locations…`: where stock lies and orders are shipped from."""

    inventory: Inventory

    @route("GET", "/api/locations", who=STAFF, answer=LocationList)
    def list_locations(self, request: Request) -> Json:
        """All locations, the preferred ones first."""
        return self.inventory.list_locations()

    @route(
        "POST",
        "/api/locations",
        who=ADMIN,
        headers=Keyed,
        body=NewLocation,
        answer=Location,
        status=201,
        etag=True,
        faults=(409,),
    )
    def create_location(self, request: Request, body: Json) -> Response:
        """Add a location.

        Orders are shipped from the first location that has everything: those in the country that
        the order goes to come first, then those with the smallest `priority`. When none has
        everything, from few of them.
        """
        key = idempotency_key(request)
        location = self.inventory.create_location(actor=request.actor, key=key, **body)
        return replayable(location, 201, f"/api/locations/{location['code']}")

    @route("GET", "/api/locations/{code}", who=STAFF, path=LocationPath, answer=Location, etag=True)
    def get_location(self, request: Request, code: str) -> Json:
        """One location."""
        return self.inventory.get_location(code=code)

    @route(
        "PATCH",
        "/api/locations/{code}",
        who=ADMIN,
        path=LocationPath,
        body=LocationChange,
        answer=Location,
        etag=True,
    )
    def change_location(self, request: Request, code: str, body: Json) -> Json:
        """Change fields of a location.

        One that is not `active` takes no new orders, and what lies there is not available. What it
        has promised, it ships.
        """
        version = expected_version(request)
        return self.inventory.update_location(
            code=code, actor=request.actor, version=version, **body
        )


class TransferRoutes:
    """`/api/transfers…`: stock on its way from one location to another."""

    inventory: Inventory

    @route("GET", "/api/transfers", who=STAFF, query=TransferQuery, answer=TransferPage)
    def list_transfers(self, request: Request, query: Json) -> Json:
        """Transfers, newest first."""
        return self.inventory.list_transfers(actor=request.actor, **query)

    @route(
        "POST",
        "/api/transfers",
        who=STAFF,
        headers=Keyed,
        body=NewTransfer,
        answer=Transfer,
        status=201,
        etag=True,
        faults=(409,),
    )
    def send_transfer(self, request: Request, body: Json) -> Response:
        """Send stock from one location to another; what orders hold stays.

        Until it is received it is available nowhere.
        """
        key = idempotency_key(request)
        transfer = self.inventory.send_transfer(actor=request.actor, key=key, **body)
        return created("/api/transfers", transfer)

    @route(
        "GET",
        "/api/transfers/{transfer_id}",
        who=STAFF,
        path=TransferPath,
        answer=Transfer,
        etag=True,
    )
    def get_transfer(self, request: Request, transfer_id: UUID) -> Json:
        """One transfer."""
        return self.inventory.get_transfer(transfer_id=transfer_id, actor=request.actor)

    @route(
        "POST",
        "/api/transfers/{transfer_id}/receive",
        who=STAFF,
        path=TransferPath,
        headers=Keyed,
        body=Receipt,
        answer=Transfer,
        etag=True,
        faults=(409,),
    )
    def receive_transfer(self, request: Request, transfer_id: UUID, body: Json) -> Response:
        """Take in what has arrived of a transfer; the rest stays on the way."""
        key = idempotency_key(request)
        transfer = self.inventory.receive_transfer(
            transfer_id=transfer_id, actor=request.actor, key=key, **body
        )
        return replayable(transfer)

    @route(
        "POST",
        "/api/transfers/{transfer_id}/cancel",
        who=STAFF,
        path=TransferPath,
        answer=Transfer,
        etag=True,
        faults=(409,),
    )
    def cancel_transfer(self, request: Request, transfer_id: UUID) -> Json:
        """Put what is still on the way back where it came from."""
        return self.inventory.cancel_transfer(transfer_id=transfer_id, actor=request.actor)


class AllocationRoutes:
    """`/api/inventory/orders/…`: where an order is shipped from."""

    inventory: Inventory

    @route(
        "GET",
        "/api/inventory/orders/{order_id}",
        who=STAFF,
        path=OrderPath,
        answer=Allocation,
        faults=(404,),
    )
    def get_allocation(self, request: Request, order_id: UUID) -> Json:
        """Which locations an order is shipped from, and what is still to leave."""
        return self.inventory.allocation(order_id=order_id)

    @route(
        "POST",
        "/api/inventory/orders/{order_id}/relocate",
        who=STAFF,
        path=OrderPath,
        body=Relocation,
        answer=Allocation,
        faults=(404, 409),
    )
    def relocate_order(self, request: Request, order_id: UUID, body: Json) -> Json:
        """Ship units of an order from another location, before they are packed."""
        return self.inventory.relocate(order_id=order_id, actor=request.actor, **body)
