"""The service of products and their stock."""

import datetime

from nameko.rpc import rpc
from nameko_sqlalchemy import DatabaseSession
from sqlalchemy import select, text

from bench.peers.common import sql
from bench.peers.stock_nameko import schemas
from bench.peers.stock_nameko.exceptions import NotFound, OutOfStock
from bench.peers.stock_nameko.models import (
    Base,
    Movement,
    Product,
    Reservation,
    ReservationLine,
    Stock,
)

_SEARCHES = [text(sql.search(tier, ":query", ":rows")) for tier in sql.TIERS]
_IS_NAMED = text(sql.IS_NAMED.format(whole=":whole"))


class ProductsService:
    name = "products"

    db = DatabaseSession(Base, engine_options={"pool_size": 16})

    @rpc
    def ping(self, n):
        return n

    @rpc
    def ready(self):
        self.db.execute(text("SELECT 1"))

    @rpc
    def get(self, product_id):
        product = self.db.get(Product, product_id)
        if product is None or product.deleted_at is not None:
            raise NotFound("There is no such product.")
        return schemas.Product().dump(product)

    @rpc
    def list(self, limit, search=None):
        rows = self._newest(limit + 1) if search is None else self._found(search, limit + 1)
        items = schemas.Product(many=True).dump(rows[:limit])
        last = (
            {"created_at": rows[limit - 1].created_at, "id": rows[limit - 1].id}
            if rows[limit:]
            else None
        )
        return {"items": items, "next": sql.following([last]) if last else None}

    def _newest(self, limit):
        newest = select(Product).where(Product.deleted_at.is_(None))
        newest = newest.order_by(Product.created_at.desc(), Product.id.desc()).limit(limit)
        return self.db.scalars(newest).all()

    def _found(self, search, limit):
        rows, query = [], sql.all_words(search)
        self.db.scalar(_IS_NAMED, {"whole": sql.whole_name(search)})
        for statement in _SEARCHES:
            rows += self.db.execute(statement, {"query": query, "rows": limit - len(rows)}).all()
            if len(rows) == limit:
                break
        return rows

    @rpc
    def get_prices(self, ids):
        products = self.db.execute(
            select(Product.id, Product.name, Product.price, Product.currency).where(
                Product.id.in_(ids), Product.deleted_at.is_(None)
            )
        )
        return [dict(row) for row in products.mappings()]

    @rpc
    def reserve(self, order_id, items, expires_at):
        now = datetime.datetime.now(datetime.UTC)
        stock = self._lock([item["product_id"] for item in items])
        for item in items:
            self._hold(stock.get(item["product_id"]), item["quantity"])
        self.db.add(
            Reservation(
                order_id=order_id,
                state="reserved",
                expires_at=expires_at,
                created_at=now,
                updated_at=now,
                lines=[ReservationLine(**item, held_until=expires_at) for item in items],
            )
        )
        self.db.add_all(
            Movement(
                product_id=item["product_id"],
                kind="reserve",
                delta_on_hand=0,
                delta_reserved=item["quantity"],
                order_id=order_id,
                reason="order placed",
                at=now,
            )
            for item in items
        )
        self.db.commit()

    def _lock(self, ids):
        locked = (
            select(Stock)
            .join(Product, Product.id == Stock.product_id)
            .where(Stock.product_id.in_(ids), Product.deleted_at.is_(None))
            .order_by(Stock.product_id)
            .with_for_update(of=Stock, key_share=True)
        )
        return {stock.product_id: stock for stock in self.db.scalars(locked)}

    def _hold(self, stock, quantity):
        if stock is None or stock.available < quantity:
            raise OutOfStock("Out of stock.")
        stock.reserved += quantity
        stock.version += 1
