"""The Nameko services `products` (catalog) and `inventory` (stock)."""

import datetime

from chassis.clock import Clock
from chassis.config import Settings
from chassis.database import Database
from chassis.events import event_handler
from chassis.events.broadcast import Broadcast
from chassis.metrics.custom import Counter, DatabaseGauges
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timers import timer
from products import (
    catalog,
    categories,
    editing,
    hints,
    holds,
    listing,
    metrics,
    models,
    naming,
    schemas,
    search,
    stock,
)
from products.permissions import require_admin, require_staff
from products.settings import ProductsSettings

#: Seconds between two looks for expired reservations. Nobody waits for it: what has expired is
#: free at once, see `products.availability`.
SWEEP_INTERVAL = 15

#: Seconds between two looks for products that were written without their search terms, so many of
#: them in one transaction, and so many transactions at a time.
INDEX_INTERVAL, INDEX_BATCH, INDEX_BATCHES = 5, 100, 50


class ProductsService(Service):
    """Categories and products: lists, search, and their upkeep by admins."""

    name = "products"
    db = Database(models.Base, package="products")
    clock = Clock()
    settings = Settings(ProductsSettings, section="products")
    news = Broadcast(schemas.CATALOG_NEWS)

    @rpc(schemas.ListProducts)
    def list(self, limit, cursor, sort, **filters):
        with self.db.read() as connection:
            wanted = listing.Filters(**filters)
            return listing.list_products(connection, wanted, sort, limit, cursor, self.clock())

    @rpc(schemas.GetProduct)
    def get(self, product_id):
        with self.db.read() as connection:
            return catalog.get(connection, product_id, self.clock())

    @rpc(schemas.GetProducts)
    def get_many(self, ids=None, skus=None):
        with self.db.read() as connection:
            return {"items": catalog.get_many(connection, ids, skus, self.clock())}

    @rpc(schemas.CreateProduct, once=True)
    def create(self, stock, actor, **fields):
        require_admin(actor)
        made_up = {"sku": naming.new_sku(), "currency": self.settings["currency"]}
        with self._changing(self.db.begin()) as session:
            return editing.create(session, made_up | fields, stock, actor, self.clock())

    @rpc(schemas.UpdateProduct)
    def update(self, product_id, version, actor, **fields):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            return editing.change(session, product_id, fields, version, self.clock())

    @rpc(schemas.DeleteProduct)
    def delete(self, product_id, version, actor):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            editing.delete(session, product_id, version, self.clock())

    @rpc
    def list_categories(self):
        with self.db.read() as connection:
            return {"items": categories.list_all(connection)}

    @rpc(schemas.GetCategory)
    def get_category(self, category_id):
        with self.db.read() as connection:
            return categories.get(connection, category_id)

    @rpc(schemas.CreateCategory, once=True)
    def create_category(self, actor, **fields):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            return categories.create(session, fields)

    @rpc(schemas.UpdateCategory)
    def update_category(self, category_id, version, actor, **fields):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            return categories.change(session, category_id, fields, version)

    @rpc(schemas.DeleteCategory)
    def delete_category(self, category_id, version, actor):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            categories.remove(session, category_id, version)

    @timer(interval=INDEX_INTERVAL)
    def index(self):
        for _ in range(INDEX_BATCHES):
            with self.db.begin() as session:
                if search.index_stale(session, INDEX_BATCH) < INDEX_BATCH:
                    return

    def _changing(self, begun):
        return hints.announced(begun, self.news.tell, "catalog_changed")


class InventoryService(Service):
    """Stock, what orders hold of it, and the ledger of its movements."""

    name = "inventory"
    db = Database(models.Base, package="products")
    clock = Clock()
    settings = Settings(ProductsSettings, section="products")
    news = Broadcast(schemas.STOCK_NEWS)
    gauges = DatabaseGauges(metrics.RESERVATIONS)
    expired = Counter("shop_reservations_expired_total", "Reservations that were freed unpaid.")

    @rpc(schemas.GetStock)
    def get(self, product_id):
        with self.db.read() as connection:
            return stock.get(connection, product_id, self.clock())

    @rpc(schemas.Adjust, once=True)
    def adjust(self, product_id, reason, version, actor, delta=None, on_hand=None):
        require_staff(actor)
        with self._changing(self.db.begin()) as session:
            now = self.clock()
            return stock.adjust(session, product_id, delta, on_hand, reason, version, actor, now)

    @rpc(schemas.Movements)
    def movements(self, product_id, limit, cursor):
        with self.db.read() as connection:
            return stock.movements(connection, product_id, limit, cursor)

    @rpc(schemas.Check)
    def check(self, items):
        with self.db.read() as connection:
            return {"items": stock.check(connection, items, self.clock())}

    @rpc(schemas.Reserve)
    def reserve(self, order_id, lines, expires_at):
        longest = datetime.timedelta(seconds=self.settings["max_hold_seconds"])
        asked = order_id, lines, expires_at, self.clock(), longest
        with self.db.read() as connection:  # one statement, its own transaction
            held = holds.reserve_new(connection, *asked)
        if held:
            changed = hints.changes(line["product_id"] for line in lines)
            self.news.tell_now("stock_changed", changed)
            return held
        with self._changing(self.db.begin()) as session:
            return holds.reserve(session, *asked)

    @rpc(schemas.Commit)
    def commit(self, order_id):
        with self._changing(self.db.begin()) as session:
            return holds.commit(session, order_id, self.clock())

    @rpc(schemas.Release)
    def release(self, order_id, reason):
        with self._changing(self.db.begin()) as session:
            return holds.release(session, order_id, reason, self.clock())

    @event_handler("orders", "order_cancelled", schemas.OrderCancelled)
    def on_order_cancelled(self, event):
        with self._changing(self.db.once(event)) as session:
            holds.release(session, event.payload["order_id"], "order cancelled", self.clock())

    @timer(interval=SWEEP_INTERVAL)
    def free_expired(self):
        batch = self.settings["sweep_batch"]
        while True:
            with self._changing(self.db.begin()) as session:
                freed = holds.sweep(session, self.clock(), batch)
            self.expired(freed)
            if freed < batch:
                return

    def _changing(self, begun):
        return hints.announced(begun, self.news.tell, "stock_changed")
