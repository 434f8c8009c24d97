"""Shipping zones and methods."""

from marshmallow import fields

from chassis.fields import List, Request, Uuid
from contracts.orders import shipping
from gateway.schemas.derive import body, query

ZoneMember = body(
    "ZoneMember",
    shipping.ZoneMember,
    "A country; or a region of it; or its postal codes that begin with `postal_from`, with"
    " `postal_to` or with what comes between, without spaces and hyphens.",
)
_MEMBERS = {"min": 1, "max": shipping.MAX_MEMBERS}
NewShippingZone = body(
    "NewShippingZone",
    shipping.CreateZone,
    without=("key", "actor"),
    members=List(fields.Nested(ZoneMember), **_MEMBERS, required=True),
)
ShippingZoneChange = body(
    "ShippingZoneChange",
    shipping.UpdateZone,
    "PATCH: what is given changes; `members` replaces all.",
    without=("zone_id", "version", "actor"),
    members=List(fields.Nested(ZoneMember), **_MEMBERS),
)
ShippingZoneQuery = query("ShippingZoneQuery", shipping.ListZones, without=("actor",))
NewShippingMethod = body(
    "NewShippingMethod",
    shipping.CreateMethod,
    "Without `currency` the price is in the shop's.",
    without=("key", "actor"),
)
ShippingMethodChange = body(
    "ShippingMethodChange",
    shipping.UpdateMethod,
    "PATCH: what is given changes.",
    without=("method_id", "version", "actor"),
)
ShippingMethodQuery = query("ShippingMethodQuery", shipping.ListMethods, without=("actor",))


class ShippingZonePath(Request):
    zone_id = Uuid(required=True)


class ShippingMethodPath(Request):
    method_id = Uuid(required=True)
