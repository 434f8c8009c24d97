"""The service that takes orders."""

import datetime
import hashlib
import json
import uuid
from collections import Counter

from nameko.rpc import RpcProxy, rpc
from nameko_sqlalchemy import DatabaseSession
from sqlalchemy import text

from bench.peers.stock_nameko import schemas
from bench.peers.stock_nameko.exceptions import UnknownProduct
from bench.peers.stock_nameko.models import Base, Order, OrderLine, OutboxEvent, TimelineEntry

PAYMENT_WINDOW = datetime.timedelta(minutes=30)
#: A reservation outlives its order by this.
GRACE = datetime.timedelta(minutes=5)


class OrdersService:
    name = "orders"

    db = DatabaseSession(Base, engine_options={"pool_size": 16})
    products = RpcProxy("products")

    @rpc
    def ready(self):
        self.db.execute(text("SELECT 1"))

    @rpc
    def place(self, user_id, items, shipping_address):
        quantities = Counter()
        for item in items:
            quantities[item["product_id"]] += item["quantity"]
        prices = {price["id"]: price for price in self.products.get_prices(list(quantities))}
        if prices.keys() != quantities.keys():
            raise UnknownProduct("There is no such product.")
        order = self._draft(user_id, quantities, prices, shipping_address)
        self.products.reserve(
            order.id,
            [{"product_id": one, "quantity": many} for one, many in quantities.items()],
            order.expires_at + GRACE,
        )
        self.db.add_all([order, self._event(order)])
        answer = schemas.Order().dump(order)
        self.db.commit()
        return answer

    def _draft(self, user_id, quantities, prices, shipping_address):
        now = datetime.datetime.now(datetime.UTC)
        lines = [
            OrderLine(
                product_id=product_id,
                position=position,
                name=prices[product_id]["name"],
                quantity=quantity,
                unit_price=prices[product_id]["price"],
            )
            for position, (product_id, quantity) in enumerate(quantities.items())
        ]
        request = json.dumps([user_id, quantities, shipping_address], sort_keys=True)
        order = Order(
            id=uuid.uuid4(),
            user_id=uuid.UUID(user_id),
            status="pending",
            payment_status="unpaid",
            items=lines,
            total=sum(line.line_total for line in lines),
            currency=next(iter(prices.values()))["currency"],
            shipping_address=shipping_address,
            fingerprint=hashlib.sha256(request.encode()).hexdigest(),
            created_at=now,
            updated_at=now,
            expires_at=now + PAYMENT_WINDOW,
            version=1,
        )
        order.timeline = self._timeline(order)
        return order

    def _timeline(self, order):
        placed = {"total": str(order.total), "currency": order.currency}
        reserved = {"until": order.expires_at.isoformat()}
        return [
            TimelineEntry(
                at=order.created_at, kind="order", cause="placed", actor="customer", detail=placed
            ),
            TimelineEntry(
                at=order.created_at, kind="stock", cause="reserved", actor="system", detail=reserved
            ),
        ]

    def _event(self, order):
        payload = {
            "order_id": str(order.id),
            "user_id": str(order.user_id),
            "total": str(order.total),
            "currency": order.currency,
            "version": order.version,
            "cause": "placed",
        }
        return OutboxEvent(
            event_id=uuid.uuid4(),
            source=self.name,
            type="order_placed",
            payload=payload,
            headers={},
            occurred_at=order.created_at,
        )
