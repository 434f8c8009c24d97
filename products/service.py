"""The Nameko services `products` (catalog) and `inventory` (stock)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from chassis.clock import Clock, Now
from chassis.config import Settings
from chassis.database import Database, Handle
from chassis.events import EventOutbox, event_handler
from chassis.events.broadcast import Broadcast
from chassis.events.outbox import Recorder
from chassis.identity import Actor
from chassis.messages import Event, Json
from chassis.metrics.custom import Counter, DatabaseGauges
from chassis.origin import Network
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timers import timer
from contracts.inventory import answers as stock_answers
from contracts.inventory import requests as stock_requests
from contracts.inventory.events import BROADCASTS as STOCK_BROADCASTS
from contracts.inventory.events import EVENTS as STOCK_EVENTS
from contracts.orders.events import (
    FulfilmentEvent,
    OrderAwaitsShipping,
    OrderEvent,
    OrderItemsCancelled,
)
from contracts.products import answers as catalog_answers
from contracts.products import requests as catalog_requests
from contracts.products.events import BROADCASTS as CATALOG_BROADCASTS
from contracts.products.events import EVENTS as CATALOG_EVENTS
from products import jobs, metrics, models
from products.catalog import categories, listing, variant_queries
from products.catalog import commands as catalog_commands
from products.catalog import queries as catalog_queries
from products.catalog.listing import Filters
from products.settings import ProductsSettings
from products.stock import commands as stock_commands
from products.stock import locations, transfers
from products.stock import queries as stock_queries

#: Seconds between two looks for expired reservations. Nobody waits for it: what has expired is
#: free at once, see `products.stock.availability`.
SWEEP_INTERVAL = 15

#: Seconds between two looks for products that were written without their search terms.
INDEX_INTERVAL = 5


class ProductsService(Service):
    """Categories and products: lists, search, and their upkeep by admins."""

    name = "products"

    db: Handle = Database(models.Base, package="products")
    clock: Now = Clock()
    settings: Mapping[str, Any] = Settings(ProductsSettings, section="products")
    broadcast = Broadcast(CATALOG_BROADCASTS)
    events: Recorder = EventOutbox(CATALOG_EVENTS)
    network: str | None = Network()

    @rpc(catalog_requests.ListProducts, catalog_answers.ProductPage)
    def list(self, limit: int, cursor: str | None, sort: str | None, **filters: Any) -> Json:
        """A page of the products that pass the filters."""
        page = sort, limit, cursor, self.clock()
        with self.db.autocommit() as connection:
            currency = self.settings["currency"]
            return listing.list_products(connection, Filters(**filters), *page, currency)

    @rpc(catalog_requests.GetProduct, catalog_answers.ProductDetail)
    def get(self, product_id: int) -> Json:
        """One product, with its variants."""
        with self.db.autocommit() as connection:
            return catalog_queries.get(connection, product_id, self.clock())

    @rpc(catalog_requests.GetProducts, catalog_answers.ProductList)
    def get_many(self, ids: Sequence[int] | None = None, skus: Sequence[str] | None = None) -> Json:
        """The products with these ids, or these SKUs; unknown ones are left out."""
        with self.db.autocommit() as connection:
            return {"items": catalog_queries.get_many(connection, ids, skus, self.clock())}

    @rpc(catalog_requests.GetVariant, catalog_answers.Variant)
    def get_variant(self, variant_id: int) -> Json:
        """One variant."""
        with self.db.autocommit() as connection:
            return variant_queries.get(connection, variant_id, self.clock())

    @rpc(catalog_requests.GetVariants, catalog_answers.SoldVariantList)
    def get_variants(
        self, ids: Sequence[int] | None = None, product_ids: Sequence[int] | None = None
    ) -> Json:
        """The variants with these ids, or of these products; unknown ones are left out."""
        with self.db.autocommit() as connection:
            found = variant_queries.get_many(connection, ids, product_ids, self.clock())
            return {"items": found}

    @rpc(catalog_requests.CreateProduct, catalog_answers.ProductDetail, once=True)
    def create(
        self,
        stock: int,
        options: Sequence[Json],
        actor: Actor,
        variants: Sequence[Json] = (),
        **fields: Any,
    ) -> Json:
        """Add a product (admin)."""
        return catalog_commands.create_product(self, actor, stock, options, variants, fields)

    @rpc(catalog_requests.UpdateProduct, catalog_answers.ProductDetail)
    def update(self, product_id: int, version: int | None, actor: Actor, **fields: Any) -> Json:
        """Change fields of a product (admin)."""
        return catalog_commands.update_product(self, actor, product_id, version, fields)

    @rpc(catalog_requests.DeleteProduct)
    def delete(self, product_id: int, version: int | None, actor: Actor) -> None:
        """Take a product out of the shop (admin)."""
        catalog_commands.delete_product(self, actor, product_id, version)

    @rpc(catalog_requests.CreateVariant, catalog_answers.Variant, once=True)
    def create_variant(self, product_id: int, actor: Actor, **fields: Any) -> Json:
        """Add a variant of a product (admin)."""
        return catalog_commands.create_variant(self, actor, product_id, fields)

    @rpc(catalog_requests.UpdateVariant, catalog_answers.Variant)
    def update_variant(
        self, variant_id: int, version: int | None, actor: Actor, **fields: Any
    ) -> Json:
        """Change fields of a variant (admin)."""
        return catalog_commands.update_variant(self, actor, variant_id, version, fields)

    @rpc(catalog_requests.DeleteVariant, catalog_answers.DeletedVariant)
    def delete_variant(self, variant_id: int, version: int | None, actor: Actor) -> Json:
        """Take a variant out of the shop (admin)."""
        return catalog_commands.delete_variant(self, actor, variant_id, version)

    @rpc(catalog_requests.UpdateOption, catalog_answers.ProductDetail)
    def update_option(
        self,
        product_id: int,
        option_id: int,
        version: int | None,
        actor: Actor,
        name: str | None = None,
        values: Sequence[Json] | None = None,
    ) -> Json:
        """Rename an option, or replace its values (admin)."""
        option = product_id, option_id, version, name, values
        return catalog_commands.update_option(self, actor, *option)

    @rpc(catalog_requests.DeleteOption, catalog_answers.ProductDetail)
    def delete_option(
        self, product_id: int, option_id: int, version: int | None, actor: Actor
    ) -> Json:
        """Delete an option that no variant has a value of (admin)."""
        return catalog_commands.delete_option(self, actor, product_id, option_id, version)

    @rpc(answer=catalog_answers.CategoryList)
    def list_categories(self) -> Json:
        """The whole tree of categories, as a list by name."""
        with self.db.autocommit() as connection:
            return {"items": categories.list_all(connection)}

    @rpc(catalog_requests.GetCategory, catalog_answers.Category)
    def get_category(self, category_id: int) -> Json:
        """One category."""
        with self.db.autocommit() as connection:
            return categories.get(connection, category_id)

    @rpc(catalog_requests.CreateCategory, catalog_answers.Category, once=True)
    def create_category(self, actor: Actor, **fields: Any) -> Json:
        """Add a category (admin)."""
        return catalog_commands.create_category(self, actor, fields)

    @rpc(catalog_requests.UpdateCategory, catalog_answers.Category)
    def update_category(
        self, category_id: int, version: int | None, actor: Actor, **fields: Any
    ) -> Json:
        """Change fields of a category (admin)."""
        return catalog_commands.update_category(self, actor, category_id, version, fields)

    @rpc(catalog_requests.DeleteCategory)
    def delete_category(self, category_id: int, version: int | None, actor: Actor) -> None:
        """Delete an empty category (admin)."""
        catalog_commands.delete_category(self, actor, category_id, version)

    @timer(interval=INDEX_INTERVAL)
    def index(self) -> None:
        """Index products that were written without their search terms."""
        jobs.index(self)


class InventoryService(Service):
    """Stock, what orders hold of it, and the ledger of its movements."""

    name = "inventory"

    db: Handle = Database(models.Base, package="products")
    clock: Now = Clock()
    settings: Mapping[str, Any] = Settings(ProductsSettings, section="products")
    broadcast = Broadcast(STOCK_BROADCASTS)
    events: Recorder = EventOutbox(STOCK_EVENTS)
    gauges = DatabaseGauges(metrics.RESERVATIONS)
    expired = Counter("shop_reservations_expired_total", "Reservations that were freed unpaid.")
    network: str | None = Network()

    @rpc(stock_requests.GetStock, stock_answers.Stock)
    def get(self, variant_id: int) -> Json:
        """The counters of a variant, of all locations and of each."""
        with self.db.autocommit() as connection:
            return stock_queries.get(connection, variant_id, self.clock())

    @rpc(stock_requests.Adjust, stock_answers.Stock, once=True)
    def adjust(
        self,
        variant_id: int,
        location: str | None,
        reason: str,
        version: int | None,
        actor: Actor,
        delta: int | None = None,
        on_hand: int | None = None,
    ) -> Json:
        """Correct the stock of a variant at a location (staff)."""
        change = variant_id, location, delta, on_hand
        return stock_commands.adjust(self, actor, *change, reason, version)

    @rpc(stock_requests.ListMovements, stock_answers.MovementPage)
    def movements(self, variant_id: int, limit: int, cursor: str | None) -> Json:
        """A page of a variant's ledger, newest first."""
        with self.db.autocommit() as connection:
            return stock_queries.movements(connection, variant_id, limit, cursor)

    @rpc(stock_requests.Check, stock_answers.Checked)
    def check(self, items: Sequence[Mapping[str, int]]) -> Json:
        """Whether these could be ordered now."""
        now = self.clock()
        with self.db.autocommit() as connection:
            variants_of = partial(variant_queries.get_many, connection, None, now=now)
            return {"items": stock_queries.check(connection, items, now, variants_of)}

    @rpc(stock_requests.Reserve, stock_answers.Reserved)
    def reserve(self, **request: Any) -> Json:
        """Hold variants for an order, all of them or none."""
        return stock_commands.reserve(self, **request)

    @rpc(stock_requests.Commit, stock_answers.Reservation)
    def commit(self, order_id: UUID) -> Json:
        """Hold what a paid order has until it is shipped."""
        return stock_commands.commit(self, order_id)

    @rpc(stock_requests.Release, stock_answers.Reservation)
    def release(self, order_id: UUID, reason: str) -> Json:
        """Give back what an order has."""
        return stock_commands.release(self, order_id, reason)

    @rpc(stock_requests.GetAllocation, stock_answers.Allocation)
    def allocation(self, order_id: UUID) -> Json:
        """Which locations an order is shipped from."""
        with self.db.autocommit() as connection:
            return stock_queries.allocation(connection, order_id)

    @rpc(stock_requests.Relocate, stock_answers.Allocation, once=True)
    def relocate(self, order_id: UUID, items: Sequence[Mapping[str, Any]], actor: Actor) -> Json:
        """Ship units of an order from other locations (staff)."""
        return stock_commands.relocate(self, actor, order_id, items)

    @rpc(answer=stock_answers.LocationList)
    def list_locations(self) -> Json:
        """All locations, the preferred ones first."""
        with self.db.autocommit() as connection:
            return locations.find(connection)

    @rpc(stock_requests.OneLocation, stock_answers.Location)
    def get_location(self, code: str) -> Json:
        """One location."""
        with self.db.autocommit() as connection:
            return locations.get(connection, code)

    @rpc(stock_requests.CreateLocation, stock_answers.KeyedLocation, once=True)
    def create_location(self, actor: Actor, **request: Any) -> Json:
        """Add a location (admin)."""
        return locations.create(self, actor, **request)

    @rpc(stock_requests.UpdateLocation, stock_answers.Location)
    def update_location(self, actor: Actor, **request: Any) -> Json:
        """Change fields of a location (admin)."""
        return locations.update(self, actor, **request)

    @rpc(stock_requests.ListTransfers, stock_answers.TransferPage)
    def list_transfers(self, **request: Any) -> Json:
        """A page of transfers, newest first (staff)."""
        with self.db.autocommit() as connection:
            return transfers.find(connection, **request)

    @rpc(stock_requests.OneTransfer, stock_answers.Transfer)
    def get_transfer(self, transfer_id: UUID, actor: Actor) -> Json:
        """One transfer (staff)."""
        with self.db.autocommit() as connection:
            return transfers.get(connection, actor, transfer_id)

    @rpc(stock_requests.SendTransfer, stock_answers.KeyedTransfer, once=True)
    def send_transfer(
        self,
        from_: str,
        to: str,
        items: Sequence[Mapping[str, int]],
        reason: str,
        key: str | None,
        actor: Actor,
    ) -> Json:
        """Send stock from one location to another (staff)."""
        return transfers.send(self, actor, from_, to, items, reason, key)

    @rpc(stock_requests.ReceiveTransfer, stock_answers.KeyedTransfer, once=True)
    def receive_transfer(
        self,
        transfer_id: UUID,
        items: Sequence[Mapping[str, int]] | None,
        key: str | None,
        actor: Actor,
    ) -> Json:
        """Take in what has arrived of a transfer (staff)."""
        return transfers.receive(self, actor, transfer_id, items, key)

    @rpc(stock_requests.OneTransfer, stock_answers.Transfer)
    def cancel_transfer(self, transfer_id: UUID, actor: Actor) -> Json:
        """Put what is still on the way back where it came from (staff)."""
        return transfers.cancel(self, actor, transfer_id)

    @event_handler("orders", "order_paid", OrderEvent)
    def on_order_paid(self, event: Event) -> None:
        """Hold what the order has until it is shipped."""
        stock_commands.commit_paid(self, event.payload["order_id"], partial(self.db.once, event))

    @event_handler("orders", "order_cancelled", OrderEvent)
    def on_order_cancelled(self, event: Event) -> None:
        """Give back what the order has."""
        order_id, begin = event.payload["order_id"], partial(self.db.once, event)
        stock_commands.release(self, order_id, "order cancelled", begin)

    @event_handler("orders", "fulfilment_shipped", FulfilmentEvent)
    def on_fulfilment_shipped(self, event: Event) -> None:
        """Book what has left in a parcel."""
        stock_commands.ship(self, event.payload, partial(self.db.once, event))

    @event_handler("orders", "order_items_cancelled", OrderItemsCancelled)
    def on_order_items_cancelled(self, event: Event) -> None:
        """Give back what will not be shipped."""
        stock_commands.cancel_units(self, event.payload, partial(self.db.once, event))

    @event_handler("orders", "order_awaits_shipping", OrderAwaitsShipping)
    def on_order_awaits_shipping(self, event: Event) -> None:
        """Hold what an earlier release took off the books when the order was paid."""
        stock_commands.reopen(self, event.payload["order_id"], partial(self.db.once, event))

    @timer(interval=SWEEP_INTERVAL)
    def free_expired(self) -> None:
        """End reservations whose time is over."""
        jobs.free_expired(self, self.expired)

    @timer(interval=60)
    def purge(self) -> None:
        """Delete keys that are over."""
        jobs.purge(self)
