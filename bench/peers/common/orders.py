"""Orders with asyncpg: what FastAPI and FastStream do between asking products and answering."""

import datetime
import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import asyncpg

from bench.peers.common.schemas import Checkout, Item, Order, Price

PAYMENT_WINDOW = datetime.timedelta(minutes=30)
#: A reservation outlives its order by this.
GRACE = datetime.timedelta(minutes=5)


class UnknownProduct(Exception):
    """Somebody wants what is not for sale."""


@dataclass(frozen=True)
class Draft:
    """An order to be."""

    order: Order
    fingerprint: str


def merged(items: list[Item]) -> list[Item]:
    """Each product once."""
    quantities = Counter()
    for item in items:
        quantities[item.product_id] += item.quantity
    return [Item(product_id=one, quantity=many) for one, many in quantities.items()]


def draft(
    checkout: Checkout,
    items: list[Item],
    prices: list[Price],
    order_id: uuid.UUID | None = None,
) -> Draft:
    """The order at these prices; raises `UnknownProduct`."""
    by_id = {price.id: price for price in prices}
    if any(item.product_id not in by_id for item in items):
        raise UnknownProduct
    lines = [
        {
            "product_id": item.product_id,
            "name": by_id[item.product_id].name,
            "quantity": item.quantity,
            "unit_price": by_id[item.product_id].price,
            "line_total": by_id[item.product_id].price * item.quantity,
        }
        for item in items
    ]
    now = datetime.datetime.now(datetime.UTC)
    order = Order(
        id=order_id or uuid.uuid4(),
        user_id=checkout.user_id,
        status="pending",
        payment_status="unpaid",
        items=lines,
        total=sum((line["line_total"] for line in lines), Decimal(0)),
        currency=prices[0].currency,
        shipping_address=checkout.shipping_address,
        created_at=now,
        expires_at=now + PAYMENT_WINDOW,
        version=1,
    )
    return Draft(order, hashlib.sha256(checkout.model_dump_json().encode()).hexdigest())


async def write(pool: asyncpg.Pool, drafted: Draft, with_timeline: bool = True) -> None:
    """The order, its lines, its timeline and its event in one transaction."""
    order = drafted.order
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO orders (id, user_id, status, payment_status, total, currency,"
            " shipping_address, fingerprint, created_at, updated_at, expires_at, version)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)",
            order.id,
            order.user_id,
            order.status,
            order.payment_status,
            order.total,
            order.currency,
            order.shipping_address.model_dump(),
            drafted.fingerprint,
            order.created_at,
            order.expires_at,
            order.version,
        )
        await connection.executemany(
            "INSERT INTO order_lines (order_id, product_id, position, name, quantity, unit_price)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            [
                (order.id, line.product_id, position, line.name, line.quantity, line.unit_price)
                for position, line in enumerate(order.items)
            ],
        )
        if with_timeline:
            await connection.executemany(
                "INSERT INTO timeline (order_id, at, kind, cause, actor, detail)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                [
                    (order.id, order.created_at, "order", "placed", "customer",
                     {"total": str(order.total), "currency": order.currency}),
                    (order.id, order.created_at, "stock", "reserved", "system",
                     {"until": order.expires_at.isoformat()}),
                ],
            )  # fmt: skip
        await connection.execute(
            "INSERT INTO outbox (event_id, source, type, payload, headers, occurred_at)"
            " VALUES ($1, 'orders', 'order_placed', $2, '{}', $3)",
            uuid.uuid4(),
            {
                "order_id": str(order.id),
                "user_id": str(order.user_id),
                "total": str(order.total),
                "currency": order.currency,
                "version": order.version,
                "cause": "placed",
            },
            order.created_at,
        )
