"""Stock."""

from chassis.fields import Page
from chassis.messages import Json
from chassis.rpc import RpcProxy
from chassis.web import Request, expected_version, route
from contracts.inventory.answers import Checked, MovementPage, Stock
from contracts.inventory.interface import Inventory
from gateway.access import ANYONE, STAFF
from gateway.catalog_cache import CatalogCache
from gateway.schemas.common import VariantPath
from gateway.schemas.locations import StockAt
from gateway.schemas.products import Adjustment, Check


class InventoryRoutes:
    """`/api/inventory…`: what is there, what is promised, and what moved."""

    inventory: Inventory = RpcProxy("inventory", timeout=5)
    catalog_cache: CatalogCache

    @route(
        "GET",
        "/api/inventory/{variant_id}",
        who=STAFF,
        path=VariantPath,
        answer=Stock,
        etag=True,
    )
    def get_stock(self, request: Request, variant_id: int) -> Json:
        """The stock of a variant: on hand, reserved and available."""
        return self.inventory.get(variant_id=variant_id)

    @route(
        "PATCH",
        "/api/inventory/{variant_id}",
        who=STAFF,
        path=VariantPath,
        query=StockAt,
        body=Adjustment,
        answer=Stock,
        etag=True,
        faults=(409,),
    )
    def adjust_stock(self, request: Request, variant_id: int, query: Json, body: Json) -> Json:
        """Correct the stock of a variant at a location; never below what is reserved there.

        Without a `location`, `on_hand` is what all have together, as in the answer. The difference
        is that of the first location, by priority, that has any: a 409 names it when it has not so
        much to give.
        """
        version = expected_version(request)
        stock = self.inventory.adjust(
            variant_id=variant_id, actor=request.actor, version=version, **query, **body
        )
        self.catalog_cache.forget_stock([stock["product_id"]])
        return stock

    @route(
        "GET",
        "/api/inventory/{variant_id}/movements",
        who=STAFF,
        path=VariantPath,
        query=Page,
        answer=MovementPage,
    )
    def list_movements(self, request: Request, variant_id: int, query: Json) -> Json:
        """The changes of a variant's stock, newest first."""
        return self.inventory.movements(variant_id=variant_id, **query)

    @route("POST", "/api/inventory/check", who=ANYONE, body=Check, answer=Checked, faults=(409,))
    def check_stock(self, request: Request, body: Json) -> Json:
        """Check whether quantities can be ordered now, of variants or of products that have one.

        `choose_variant` (409) names the variants of products that have several.
        """
        return self.inventory.check(**body)
