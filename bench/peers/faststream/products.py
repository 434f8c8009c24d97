"""The service of products and their stock."""

import logging
import os
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from faststream import Context, ContextRepo, FastStream
from faststream.rabbit import RabbitBroker

from bench.peers.common import products
from bench.peers.common.schemas import Page, Price, Product, Reservation


@asynccontextmanager
async def lifespan(context: ContextRepo):
    async with await products.connect(os.environ["PRODUCTS_DSN"]) as pool:
        context.set_global("pool", pool)
        yield


broker = RabbitBroker(os.environ["AMQP_URI"], log_level=logging.DEBUG)
app = FastStream(broker, lifespan=lifespan)
Pool = Annotated[asyncpg.Pool, Context("pool")]


@broker.subscriber("products.ping")
async def ping(n: int) -> int:
    return n


@broker.subscriber("products.list")
async def list_products(limit: int, search: str | None, pool: Pool) -> Page:
    return Page(**await products.page(pool, limit, search))


@broker.subscriber("products.get")
async def get_product(product_id: int, pool: Pool) -> Product | None:
    product = await products.get(pool, product_id)
    return None if product is None else Product(**product)


@broker.subscriber("products.prices")
async def get_prices(ids: list[int], pool: Pool) -> list[Price]:
    return [Price(**price) for price in await products.prices(pool, ids)]


@broker.subscriber("products.reserve")
async def reserve(reservation: Reservation, pool: Pool) -> dict[str, bool]:
    try:
        await products.reserve(pool, reservation)
    except products.OutOfStock:
        return {"reserved": False}
    return {"reserved": True}


@broker.subscriber("products.ready")
async def ready(pool: Pool) -> dict[str, bool]:
    await pool.fetchval("SELECT 1")
    return {"ready": True}
