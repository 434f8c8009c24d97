"""The service that takes orders."""

import os
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from bench.peers.common import orders
from bench.peers.common.products import connect
from bench.peers.common.schemas import Checkout, Order, Price, Reservation

PRODUCTS = f"http://127.0.0.1:{os.environ['PRODUCTS_PORT']}"


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with (
        await connect(os.environ["ORDERS_DSN"]) as pool,
        httpx.AsyncClient(base_url=PRODUCTS) as products,
    ):
        app.state.pool = pool
        app.state.products = products
        yield


app = FastAPI(title="orders", lifespan=lifespan)


@app.exception_handler(httpx.TransportError)
async def away(request: Request, error: httpx.TransportError) -> JSONResponse:
    return JSONResponse({"detail": "A service is away."}, 503)


@app.post("/orders", status_code=201)
async def place(checkout: Checkout, request: Request) -> Order:
    items = orders.merged(checkout.items)
    products: httpx.AsyncClient = request.app.state.products
    answer = await products.get("/prices", params={"ids": [item.product_id for item in items]})
    answer.raise_for_status()
    try:
        draft = orders.draft(checkout, items, [Price(**price) for price in answer.json()])
    except orders.UnknownProduct:
        raise HTTPException(422, "There is no such product.") from None
    reservation = Reservation(
        order_id=draft.order.id, items=items, expires_at=draft.order.expires_at + orders.GRACE
    )
    answer = await products.post("/reservations", json=reservation.model_dump(mode="json"))
    if answer.status_code == 409:
        raise HTTPException(409, "Out of stock.")
    answer.raise_for_status()
    await orders.write(request.app.state.pool, draft)
    return draft.order


@app.get("/readyz")
async def ready(request: Request) -> dict[str, bool]:
    await request.app.state.pool.fetchval("SELECT 1")
    return {"ready": True}
