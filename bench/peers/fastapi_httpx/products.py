"""The service of products and their stock."""

import os
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Query, Request

from bench.peers.common import products
from bench.peers.common.schemas import Page, Price, Product, Reservation


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with await products.connect(os.environ["PRODUCTS_DSN"]) as pool:
        app.state.pool = pool
        yield


async def get_pool(request: Request) -> asyncpg.Pool:
    return request.app.state.pool


app = FastAPI(title="products", lifespan=lifespan)
Pool = Annotated[asyncpg.Pool, Depends(get_pool)]


@app.get("/ping/{n}")
async def ping(n: int) -> dict[str, int]:
    return {"n": n}


@app.get("/products", response_model=Page)
async def list_products(pool: Pool, limit: int, search: str | None = None):
    return await products.page(pool, limit, search)


@app.get("/products/{product_id}", response_model=Product)
async def get_product(product_id: int, pool: Pool):
    product = await products.get(pool, product_id)
    if product is None:
        raise HTTPException(404, "There is no such product.")
    return product


@app.get("/prices", response_model=list[Price])
async def get_prices(pool: Pool, ids: Annotated[list[int], Query()]):
    return await products.prices(pool, ids)


@app.post("/reservations", status_code=204)
async def reserve(reservation: Reservation, pool: Pool) -> None:
    try:
        await products.reserve(pool, reservation)
    except products.OutOfStock:
        raise HTTPException(409, "Out of stock.") from None


@app.get("/readyz")
async def ready(pool: Pool) -> dict[str, bool]:
    await pool.fetchval("SELECT 1")
    return {"ready": True}
