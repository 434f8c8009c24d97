"""The service that takes orders."""

import logging
import os
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from faststream import Context, ContextRepo, FastStream
from faststream.rabbit import RabbitBroker

from bench.peers.common import orders
from bench.peers.common.products import connect
from bench.peers.common.schemas import Checkout, Order, Price, Reservation
from bench.peers.faststream.rpc import RpcClient


@asynccontextmanager
async def lifespan(context: ContextRepo):
    async with await connect(os.environ["ORDERS_DSN"]) as pool:
        context.set_global("pool", pool)
        yield


broker = RabbitBroker(os.environ["AMQP_URI"], log_level=logging.DEBUG)
app = FastStream(broker, lifespan=lifespan)
rpc = RpcClient(broker)
Pool = Annotated[asyncpg.Pool, Context("pool")]


@broker.subscriber("orders.place")
async def place(checkout: Checkout, pool: Pool) -> Order | dict[str, str]:
    items = orders.merged(checkout.items)
    prices = await rpc.call("products.prices", [item.product_id for item in items])
    try:
        draft = orders.draft(checkout, items, [Price(**price) for price in prices])
    except orders.UnknownProduct:
        return {"refused": "unknown_product"}
    reservation = Reservation(
        order_id=draft.order.id, items=items, expires_at=draft.order.expires_at + orders.GRACE
    )
    if not (await rpc.call("products.reserve", reservation))["reserved"]:
        return {"refused": "out_of_stock"}
    await orders.write(pool, draft)
    return draft.order


@broker.subscriber("orders.ready")
async def ready(pool: Pool) -> dict[str, bool]:
    await pool.fetchval("SELECT 1")
    return {"ready": True}
