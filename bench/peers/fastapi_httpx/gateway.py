"""The public door."""

import os
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import jwt
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bench.peers.common import tokens
from bench.peers.common.schemas import Checkout, NewOrder, Order, Page, Product

PRODUCTS = f"http://127.0.0.1:{os.environ['PRODUCTS_PORT']}"
ORDERS = f"http://127.0.0.1:{os.environ['ORDERS_PORT']}"


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with (
        httpx.AsyncClient(base_url=PRODUCTS) as products,
        httpx.AsyncClient(base_url=ORDERS) as orders,
    ):
        app.state.products = products
        app.state.orders = orders
        yield


async def get_products(request: Request) -> httpx.AsyncClient:
    return request.app.state.products


async def get_orders(request: Request) -> httpx.AsyncClient:
    return request.app.state.orders


async def get_user_id(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> str:
    try:
        return tokens.user_id_of(credentials.credentials)
    except jwt.InvalidTokenError:
        headers = {"WWW-Authenticate": "Bearer"}
        raise HTTPException(401, "Not an access token.", headers) from None


app = FastAPI(title="gateway", lifespan=lifespan)
Products = Annotated[httpx.AsyncClient, Depends(get_products)]
Orders = Annotated[httpx.AsyncClient, Depends(get_orders)]


@app.exception_handler(httpx.TransportError)
async def away(request: Request, error: httpx.TransportError) -> JSONResponse:
    return JSONResponse({"detail": "A service is away."}, 503)


@app.get("/ping/{n}")
async def ping(n: int, products: Products) -> dict[str, int]:
    return _body(await products.get(f"/ping/{n}"))


@app.get("/api/products", response_model=Page)
async def list_products(
    products: Products,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    search: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
):
    asked = {"limit": limit} if search is None else {"limit": limit, "search": search}
    return _body(await products.get("/products", params=asked))


@app.get("/api/products/{product_id}", response_model=Product)
async def get_product(product_id: Annotated[int, Path(ge=1, lt=2**63)], products: Products):
    return _body(await products.get(f"/products/{product_id}"))


@app.post("/api/orders", status_code=201, response_model=Order)
async def place(order: NewOrder, user_id: Annotated[str, Depends(get_user_id)], orders: Orders):
    checkout = Checkout(user_id=user_id, **order.model_dump())
    return _body(await orders.post("/orders", json=checkout.model_dump(mode="json")))


@app.get("/readyz")
async def ready(products: Products, orders: Orders) -> dict[str, bool]:
    _body(await products.get("/readyz"))
    return _body(await orders.get("/readyz"))


def _body(answer: httpx.Response):
    """What a service has answered; its refusals are the gateway's own."""
    if answer.is_error:
        refused = answer.status_code < 500
        detail = answer.json()["detail"] if refused else "A service has failed."
        raise HTTPException(answer.status_code if refused else 503, detail)
    return answer.json()
