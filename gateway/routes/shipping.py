"""Shipping zones and methods."""

from uuid import UUID

from chassis.messages import Json
from chassis.web import Request, Response, expected_version, route
from contracts.orders.interface import Orders
from contracts.orders.shipping import (
    ShippingMethod,
    ShippingMethodPage,
    ShippingZone,
    ShippingZonePage,
)
from gateway.access import ADMIN
from gateway.responses import created
from gateway.schemas.common import Conditional, Keyed, idempotency_key
from gateway.schemas.shipping import (
    NewShippingMethod,
    NewShippingZone,
    ShippingMethodChange,
    ShippingMethodPath,
    ShippingMethodQuery,
    ShippingZoneChange,
    ShippingZonePath,
    ShippingZoneQuery,
)


class ShippingZoneRoutes:
    """`/api/shipping-zones…`: which addresses the shop ships to."""

    orders: Orders

    @route(
        "GET", "/api/shipping-zones", who=ADMIN, query=ShippingZoneQuery, answer=ShippingZonePage
    )
    def list_shipping_zones(self, request: Request, query: Json) -> Json:
        """Shipping zones, by name."""
        return self.orders.list_shipping_zones(actor=request.actor, **query)

    @route(
        "POST",
        "/api/shipping-zones",
        who=ADMIN,
        headers=Keyed,
        body=NewShippingZone,
        answer=ShippingZone,
        status=201,
        etag=True,
        faults=(404, 409),
    )
    def create_shipping_zone(self, request: Request, body: Json) -> Response:
        """Add a shipping zone.

        An address is in the zone that says most of it: a range of postal codes comes before a
        region, that before a country. Of each kind no two zones may have the same addresses.
        """
        key = idempotency_key(request)
        zone = self.orders.create_shipping_zone(actor=request.actor, key=key, **body)
        return created("/api/shipping-zones", zone)

    @route(
        "GET",
        "/api/shipping-zones/{zone_id}",
        who=ADMIN,
        path=ShippingZonePath,
        answer=ShippingZone,
        etag=True,
    )
    def get_shipping_zone(self, request: Request, zone_id: UUID) -> Json:
        """One shipping zone."""
        return self.orders.get_shipping_zone(zone_id=zone_id, actor=request.actor)

    @route(
        "PATCH",
        "/api/shipping-zones/{zone_id}",
        who=ADMIN,
        path=ShippingZonePath,
        body=ShippingZoneChange,
        answer=ShippingZone,
        etag=True,
        faults=(409,),
    )
    def change_shipping_zone(self, request: Request, zone_id: UUID, body: Json) -> Json:
        """Give a shipping zone another name, or other members in place of all that it has."""
        version = expected_version(request)
        return self.orders.update_shipping_zone(
            zone_id=zone_id, version=version, actor=request.actor, **body
        )

    @route(
        "DELETE",
        "/api/shipping-zones/{zone_id}",
        who=ADMIN,
        path=ShippingZonePath,
        headers=Conditional,
        status=204,
        faults=(412,),
    )
    def delete_shipping_zone(self, request: Request, zone_id: UUID) -> None:
        """Delete a shipping zone with its methods; orders keep how they are shipped."""
        version = expected_version(request)
        self.orders.delete_shipping_zone(zone_id=zone_id, version=version, actor=request.actor)


class ShippingMethodRoutes:
    """`/api/shipping-methods…`: how the shop ships to a zone, and at which price."""

    orders: Orders

    @route(
        "GET",
        "/api/shipping-methods",
        who=ADMIN,
        query=ShippingMethodQuery,
        answer=ShippingMethodPage,
    )
    def list_shipping_methods(self, request: Request, query: Json) -> Json:
        """Shipping methods, by code."""
        return self.orders.list_shipping_methods(actor=request.actor, **query)

    @route(
        "POST",
        "/api/shipping-methods",
        who=ADMIN,
        headers=Keyed,
        body=NewShippingMethod,
        answer=ShippingMethod,
        status=201,
        etag=True,
        faults=(404, 409),
    )
    def create_shipping_method(self, request: Request, body: Json) -> Response:
        """Add a shipping method to a zone.

        As soon as a shop has an active one, an order in its currency is shipped by one that carries
        it: the one it names, else the cheapest. `free_from` looks at the goods after discounts, the
        weights at what the goods weigh together.
        """
        key = idempotency_key(request)
        method = self.orders.create_shipping_method(actor=request.actor, key=key, **body)
        return created("/api/shipping-methods", method)

    @route(
        "GET",
        "/api/shipping-methods/{method_id}",
        who=ADMIN,
        path=ShippingMethodPath,
        answer=ShippingMethod,
        etag=True,
    )
    def get_shipping_method(self, request: Request, method_id: UUID) -> Json:
        """One shipping method."""
        return self.orders.get_shipping_method(method_id=method_id, actor=request.actor)

    @route(
        "PATCH",
        "/api/shipping-methods/{method_id}",
        who=ADMIN,
        path=ShippingMethodPath,
        body=ShippingMethodChange,
        answer=ShippingMethod,
        etag=True,
        faults=(409,),
    )
    def change_shipping_method(self, request: Request, method_id: UUID, body: Json) -> Json:
        """Change some fields of a shipping method; one that is not `active` is not offered."""
        version = expected_version(request)
        return self.orders.update_shipping_method(
            method_id=method_id, version=version, actor=request.actor, **body
        )
