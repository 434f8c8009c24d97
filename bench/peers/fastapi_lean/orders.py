"""The service that takes orders, with one call to inventory and one transaction of its own."""

import datetime
import uuid

import httpx
from fastapi import FastAPI, HTTPException, Request

from bench.peers.common import orders
from bench.peers.common.schemas import Checkout, Order, Price, Reservation
from bench.peers.fastapi_httpx.orders import away, lifespan, ready

app = FastAPI(title="orders", lifespan=lifespan)
app.add_exception_handler(httpx.TransportError, away)
app.get("/readyz")(ready)


@app.post("/orders", status_code=201)
async def place(checkout: Checkout, request: Request) -> Order:
    wanted = Reservation(
        order_id=uuid.uuid4(),
        items=orders.merged(checkout.items),
        expires_at=datetime.datetime.now(datetime.UTC) + orders.PAYMENT_WINDOW + orders.GRACE,
    )
    products: httpx.AsyncClient = request.app.state.products
    answer = await products.post("/priced-reservations", json=wanted.model_dump(mode="json"))
    if answer.status_code in (409, 422):
        raise HTTPException(answer.status_code, answer.json()["detail"])
    answer.raise_for_status()
    prices = [Price(**price) for price in answer.json()]
    draft = orders.draft(checkout, wanted.items, prices, wanted.order_id)
    await orders.write(request.app.state.pool, draft, with_timeline=False)
    return draft.order
