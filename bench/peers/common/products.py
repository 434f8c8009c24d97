"""Products and their stock with asyncpg, as its documentation uses a pool; for FastAPI and
FastStream alike."""

import datetime
import json

import asyncpg

from bench.peers.common import sql
from bench.peers.common.schemas import Item, Reservation

_BY_ID = sql.by_id("$1")
_NEWEST = sql.newest("$1")
_SEARCHES = [sql.search(tier, "$1", "$2") for tier in sql.TIERS]
_IS_NAMED = sql.IS_NAMED.format(whole="$1")

_LOCK = """
    SELECT s.product_id, s.on_hand - s.reserved AS available
    FROM stock s JOIN products p ON p.id = s.product_id
    WHERE s.product_id = ANY($1) AND p.deleted_at IS NULL
    ORDER BY s.product_id FOR NO KEY UPDATE OF s
"""


class OutOfStock(Exception):
    """There is less than an order wants."""


async def connect(dsn: str) -> asyncpg.Pool:
    """A pool that speaks JSON."""
    return await asyncpg.create_pool(dsn, min_size=4, max_size=16, init=_with_json)


async def _with_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


async def get(pool: asyncpg.Pool, product_id: int) -> dict | None:
    """The product, None if there is none."""
    row = await pool.fetchrow(_BY_ID, product_id)
    return None if row is None else dict(row)


async def page(pool: asyncpg.Pool, limit: int, search: str | None) -> dict:
    """The first page of all products or of those that a search finds."""
    if search is None:
        rows = await pool.fetch(_NEWEST, limit + 1)
    else:
        rows, query = [], sql.all_words(search)
        await pool.fetchval(_IS_NAMED, sql.whole_name(search))
        for statement in _SEARCHES:
            rows += await pool.fetch(statement, query, limit + 1 - len(rows))
            if len(rows) > limit:
                break
    items = [dict(row) for row in rows[:limit]]
    return {"items": items, "next": sql.following(items) if len(rows) > limit else None}


async def prices(pool: asyncpg.Pool, ids: list[int]) -> list[dict]:
    """Name, price and currency of those of the products that there are."""
    rows = await pool.fetch(
        "SELECT id, name, price, currency FROM products WHERE id = ANY($1) AND deleted_at IS NULL",
        ids,
    )
    return [dict(row) for row in rows]


async def reserve(pool: asyncpg.Pool, wanted: Reservation) -> None:
    """Hold all items for the order, or raise `OutOfStock`."""
    now = datetime.datetime.now(datetime.UTC)
    async with pool.acquire() as connection, connection.transaction():
        await _check(connection, wanted.items)
        await connection.execute(
            "INSERT INTO reservations (order_id, state, expires_at, created_at, updated_at)"
            " VALUES ($1, 'reserved', $2, $3, $3)",
            wanted.order_id,
            wanted.expires_at,
            now,
        )
        await connection.executemany(
            "UPDATE stock SET reserved = reserved + $2, version = version + 1"
            " WHERE product_id = $1",
            [(item.product_id, item.quantity) for item in wanted.items],
        )
        await connection.executemany(
            "INSERT INTO reservation_lines (order_id, product_id, quantity, held_until)"
            " VALUES ($1, $2, $3, $4)",
            [
                (wanted.order_id, item.product_id, item.quantity, wanted.expires_at)
                for item in wanted.items
            ],
        )
        await connection.executemany(
            "INSERT INTO movements"
            " (product_id, kind, delta_on_hand, delta_reserved, order_id, reason, at)"
            " VALUES ($1, 'reserve', 0, $2, $3, 'order placed', $4)",
            [(item.product_id, item.quantity, wanted.order_id, now) for item in wanted.items],
        )


async def _check(connection: asyncpg.Connection, items: list[Item]) -> None:
    rows = await connection.fetch(_LOCK, [item.product_id for item in items])
    available = {row["product_id"]: row["available"] for row in rows}
    if any(item.quantity > available.get(item.product_id, 0) for item in items):
        raise OutOfStock
