"""The service of products and their stock, which prices what it reserves."""

import datetime

from fastapi import HTTPException

from bench.peers.common.orders import UnknownProduct
from bench.peers.common.products import OutOfStock
from bench.peers.common.schemas import Price, Reservation
from bench.peers.fastapi_httpx.products import Pool, app

_LOCK = """
    SELECT p.id, p.name, p.price, p.currency, s.on_hand - s.reserved AS available
    FROM stock s JOIN products p ON p.id = s.product_id
    WHERE p.id = ANY($1) AND p.deleted_at IS NULL
    ORDER BY s.product_id FOR NO KEY UPDATE OF s
"""
_TAKE = """
    UPDATE stock SET reserved = reserved + quantity, version = version + 1
    FROM unnest($1::bigint[], $2::integer[]) AS wanted (id, quantity) WHERE product_id = id
"""
_HOLD = """
    WITH held AS (
        INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at)
        VALUES ($3, 'reserved', $4, $5, $5)
    )
    INSERT INTO reservation_lines (order_id, product_id, quantity, held_until)
    SELECT $3, id, quantity, $4
    FROM unnest($1::bigint[], $2::integer[]) AS wanted (id, quantity)
"""


@app.post("/priced-reservations", response_model=list[Price])
async def reserve_priced(wanted: Reservation, pool: Pool):
    """Hold all items for the order, and say what they cost."""
    quantities = {item.product_id: item.quantity for item in wanted.items}
    ids, pieces = list(quantities), list(quantities.values())
    try:
        async with pool.acquire() as connection, connection.transaction():
            products = await connection.fetch(_LOCK, ids)
            _check(products, quantities)
            await connection.execute(_TAKE, ids, pieces)
            now = datetime.datetime.now(datetime.UTC)
            await connection.execute(_HOLD, ids, pieces, wanted.order_id, wanted.expires_at, now)
    except UnknownProduct:
        raise HTTPException(422, "There is no such product.") from None
    except OutOfStock:
        raise HTTPException(409, "Out of stock.") from None
    return [dict(product) for product in products]


def _check(products, quantities: dict[int, int]) -> None:
    if len(products) < len(quantities):
        raise UnknownProduct
    if any(product["available"] < quantities[product["id"]] for product in products):
        raise OutOfStock
