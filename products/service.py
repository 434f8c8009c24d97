"""The Nameko services `products` (catalog) and `inventory` (stock)."""

import datetime
from functools import partial

from chassis import staff
from chassis.clock import Clock
from chassis.config import Settings
from chassis.database import Database
from chassis.events import EventOutbox, event_handler
from chassis.events.broadcast import Broadcast
from chassis.metrics.custom import Counter, DatabaseGauges
from chassis.origin import Network
from chassis.rpc import rpc
from chassis.service import Service
from chassis.timers import timer
from contracts.inventory import answers as stock_answers
from contracts.inventory import requests as stock_requests
from contracts.inventory.events import BROADCASTS as STOCK_BROADCASTS
from contracts.inventory.events import EVENTS as STOCK_EVENTS
from contracts.orders.events import OrderEvent
from contracts.products import answers as catalog_answers
from contracts.products import requests as catalog_requests
from contracts.products.events import BROADCASTS as CATALOG_BROADCASTS
from contracts.products.events import EVENTS as CATALOG_EVENTS
from products import cache_invalidation, metrics, models
from products.catalog import categories, listing, naming
from products.catalog import commands as catalog_commands
from products.catalog import queries as catalog_queries
from products.permissions import require_admin, require_staff
from products.search import index as search_index
from products.settings import ProductsSettings
from products.stock import queries as stock_queries
from products.stock import reservation_store

#: Seconds between two looks for expired reservations. Nobody waits for it: what has expired is
#: free at once, see `products.stock.availability`.
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
    broadcast = Broadcast(CATALOG_BROADCASTS)
    events = EventOutbox(CATALOG_EVENTS)
    network = Network()

    @rpc(catalog_requests.ListProducts, catalog_answers.ProductPage)
    def list(self, limit, cursor, sort, **filters):
        with self.db.autocommit() as connection:
            wanted = listing.Filters(**filters)
            page, currency = (sort, limit, cursor, self.clock()), self.settings["currency"]
            return listing.list_products(connection, wanted, *page, currency)

    @rpc(catalog_requests.GetProduct, catalog_answers.Product)
    def get(self, product_id):
        with self.db.autocommit() as connection:
            return catalog_queries.get(connection, product_id, self.clock())

    @rpc(catalog_requests.GetProducts, catalog_answers.ProductList)
    def get_many(self, ids=None, skus=None):
        with self.db.autocommit() as connection:
            return {"items": catalog_queries.get_many(connection, ids, skus, self.clock())}

    @rpc(catalog_requests.CreateProduct, catalog_answers.Product, once=True)
    def create(self, stock, actor, **fields):
        require_admin(actor)
        made_up = {"sku": naming.new_sku(), "currency": self.settings["currency"]}
        with self._changing(self.db.begin()) as session:
            made = catalog_commands.create(session, made_up | fields, stock, actor, self.clock())
            priced = {"price": str(made["price"]), "currency": made["currency"]}
            self._note(session, actor, "product_created", made["id"])(**priced, stock=stock)
            return made

    @rpc(catalog_requests.UpdateProduct, catalog_answers.Product)
    def update(self, product_id, version, actor, **fields):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            note = self._note(session, actor, "product_changed", product_id)
            return catalog_commands.change(session, product_id, fields, version, self.clock(), note)

    @rpc(catalog_requests.DeleteProduct)
    def delete(self, product_id, version, actor):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            catalog_commands.delete(session, product_id, version, self.clock())
            self._note(session, actor, "product_deleted", product_id)()

    @rpc(answer=catalog_answers.CategoryList)
    def list_categories(self):
        with self.db.autocommit() as connection:
            return {"items": categories.list_all(connection)}

    @rpc(catalog_requests.GetCategory, catalog_answers.Category)
    def get_category(self, category_id):
        with self.db.autocommit() as connection:
            return categories.get(connection, category_id)

    @rpc(catalog_requests.CreateCategory, catalog_answers.Category, once=True)
    def create_category(self, actor, **fields):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            made = categories.create(session, fields)
            staff.tell(self, session, actor, "category_created", "category", made["id"])
            return made

    @rpc(catalog_requests.UpdateCategory, catalog_answers.Category)
    def update_category(self, category_id, version, actor, **fields):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            changed = categories.change(session, category_id, fields, version)
            names = sorted(fields)
            staff.tell(
                self, session, actor, "category_changed", "category", category_id, fields=names
            )
            return changed

    @rpc(catalog_requests.DeleteCategory)
    def delete_category(self, category_id, version, actor):
        require_admin(actor)
        with self._changing(self.db.begin()) as session:
            categories.remove(session, category_id, version)
            staff.tell(self, session, actor, "category_deleted", "category", category_id)

    @timer(interval=INDEX_INTERVAL)
    def index(self):
        for _ in range(INDEX_BATCHES):
            with self.db.begin() as session:
                if search_index.index_stale(session, INDEX_BATCH) < INDEX_BATCH:
                    return

    def _changing(self, begun):
        return cache_invalidation.announced(begun, self.broadcast.publish, "catalog_changed")

    def _note(self, session, actor, action, product_id):
        """See `products.catalog.commands.Note`."""
        return partial(staff.tell, self, session, actor, action, "product", product_id)


class InventoryService(Service):
    """Stock, what orders hold of it, and the ledger of its movements."""

    name = "inventory"
    db = Database(models.Base, package="products")
    clock = Clock()
    settings = Settings(ProductsSettings, section="products")
    broadcast = Broadcast(STOCK_BROADCASTS)
    events = EventOutbox(STOCK_EVENTS)
    gauges = DatabaseGauges(metrics.RESERVATIONS)
    expired = Counter("shop_reservations_expired_total", "Reservations that were freed unpaid.")
    network = Network()

    @rpc(stock_requests.GetStock, stock_answers.Stock)
    def get(self, product_id):
        with self.db.autocommit() as connection:
            return stock_queries.get(connection, product_id, self.clock())

    @rpc(stock_requests.Adjust, stock_answers.Stock, once=True)
    def adjust(self, product_id, reason, version, actor, delta=None, on_hand=None):
        require_staff(actor)
        with self._changing(self.db.begin()) as session:
            note = partial(
                staff.tell, self, session, actor, "stock_adjusted", "product", product_id
            )
            change = product_id, delta, on_hand, reason, version
            return stock_queries.adjust(session, *change, actor, self.clock(), note)

    @rpc(stock_requests.ListMovements, stock_answers.MovementPage)
    def movements(self, product_id, limit, cursor):
        with self.db.autocommit() as connection:
            return stock_queries.movements(connection, product_id, limit, cursor)

    @rpc(stock_requests.Check, stock_answers.Checked)
    def check(self, items):
        with self.db.autocommit() as connection:
            return {"items": stock_queries.check(connection, items, self.clock())}

    @rpc(stock_requests.Reserve, stock_answers.Reservation)
    def reserve(self, order_id, lines, expires_at):
        longest = datetime.timedelta(seconds=self.settings["max_hold_seconds"])
        asked = order_id, lines, expires_at, self.clock(), longest
        with self.db.autocommit() as connection:
            held = reservation_store.reserve_new(connection, *asked)
        if held:
            changed = cache_invalidation.changes(line["product_id"] for line in lines)
            self.broadcast.publish_now("stock_changed", changed)
            return held
        with self._changing(self.db.begin()) as session:
            return reservation_store.reserve(session, *asked)

    @rpc(stock_requests.Commit, stock_answers.Reservation)
    def commit(self, order_id):
        with self._changing(self.db.begin()) as session:
            return reservation_store.commit(session, order_id, self.clock())

    @rpc(stock_requests.Release, stock_answers.Reservation)
    def release(self, order_id, reason):
        with self._changing(self.db.begin()) as session:
            return reservation_store.release(session, order_id, reason, self.clock())

    @event_handler("orders", "order_cancelled", OrderEvent)
    def on_order_cancelled(self, event):
        with self._changing(self.db.once(event)) as session:
            reservation_store.release(
                session, event.payload["order_id"], "order cancelled", self.clock()
            )

    @timer(interval=SWEEP_INTERVAL)
    def free_expired(self):
        batch = self.settings["sweep_batch"]
        while True:
            with self._changing(self.db.begin()) as session:
                freed = reservation_store.sweep(session, self.clock(), batch)
            self.expired(freed)
            if freed < batch:
                return

    def _changing(self, begun):
        return cache_invalidation.announced(begun, self.broadcast.publish, "stock_changed")
