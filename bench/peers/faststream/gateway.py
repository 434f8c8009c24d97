"""The public door."""

import logging
import os
from contextlib import asynccontextmanager
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from faststream.rabbit import RabbitBroker

from bench.peers.common import tokens
from bench.peers.common.schemas import Checkout, NewOrder, Order, Page, Product
from bench.peers.faststream.rpc import RpcClient

broker = RabbitBroker(os.environ["AMQP_URI"], log_level=logging.DEBUG)
rpc = RpcClient(broker)

REFUSALS = {
    "unknown_product": (422, "There is no such product."),
    "out_of_stock": (409, "Out of stock."),
}


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with broker:
        await broker.start()
        yield


async def get_user_id(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> str:
    try:
        return tokens.user_id_of(credentials.credentials)
    except jwt.InvalidTokenError:
        headers = {"WWW-Authenticate": "Bearer"}
        raise HTTPException(401, "Not an access token.", headers) from None


app = FastAPI(title="gateway", lifespan=lifespan)


@app.exception_handler(TimeoutError)
async def away(request: Request, error: TimeoutError) -> JSONResponse:
    return JSONResponse({"detail": "A service is away."}, 503)


@app.get("/ping/{n}")
async def ping(n: int) -> dict[str, int]:
    return {"n": await rpc.call("products.ping", n)}


@app.get("/api/products", response_model=Page)
async def list_products(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    search: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
):
    return await rpc.call("products.list", {"limit": limit, "search": search})


@app.get("/api/products/{product_id}", response_model=Product)
async def get_product(product_id: Annotated[int, Path(ge=1, lt=2**63)]):
    product = await rpc.call("products.get", product_id)
    if not product:
        raise HTTPException(404, "There is no such product.")
    return product


@app.post("/api/orders", status_code=201, response_model=Order)
async def place(order: NewOrder, user_id: Annotated[str, Depends(get_user_id)]):
    answer = await rpc.call("orders.place", Checkout(user_id=user_id, **order.model_dump()))
    if "refused" in answer:
        raise HTTPException(*REFUSALS[answer["refused"]])
    return answer


@app.get("/readyz")
async def ready() -> dict[str, bool]:
    await rpc.call("products.ready")
    return await rpc.call("orders.ready")
