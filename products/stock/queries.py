"""How much there is: read, checked, counted anew, and how it came about."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis import paging
from chassis.errors import PreconditionFailed
from chassis.identity import Actor
from contracts.inventory.enums import MovementKind
from contracts.products.errors import ProductNotFound
from products.models import Movement, Product, Stock
from products.stock import adjustment, ledger, reservations
from products.stock.availability import AVAILABLE
from products.stock.reservations import Change

#: `note(**detail)` writes it into the audit trail.
Note = Callable[..., None]

_LEVEL = select(
    Stock.product_id,
    Stock.on_hand,
    (Stock.on_hand - AVAILABLE).label("reserved"),
    AVAILABLE.label("available"),
    Stock.version,
).where(Stock.product_id == bindparam("id"))

_FOR_SALE = (
    select(Stock.product_id, AVAILABLE.label("available"))
    .join(Product, Product.id == Stock.product_id)
    .where(
        Stock.product_id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
        Product.deleted_at.is_(None),
    )
)

_NEWEST = paging.Keyset("movements", Movement.id)


def get(
    connection: Connection | Session, product_id: int, now: datetime.datetime
) -> dict[str, Any]:
    """The counters; `reserved` leaves out what has expired. Raises `ProductNotFound`."""
    row = connection.execute(_LEVEL, {"id": product_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise ProductNotFound()
    return dict(row)


def check(
    connection: Connection, lines: Sequence[Mapping[str, int]], now: datetime.datetime
) -> list[dict[str, Any]]:
    """Each of `lines` with `available`: whether all lines of its product could be had now."""
    wanted = reservations.merge(lines)
    rows = connection.execute(_FOR_SALE, {"ids": list(wanted), "now": now})
    available = {row.product_id: row.available for row in rows}
    return [
        {**line, "available": wanted[line["product_id"]] <= available.get(line["product_id"], 0)}
        for line in lines
    ]


def adjust(
    session: Session,
    product_id: int,
    delta: int | None,
    counted: int | None,
    reason: str,
    version: int | None,
    actor: Actor,
    now: datetime.datetime,
    note: Note = lambda **detail: None,
) -> dict[str, Any]:
    """Change on_hand by `delta`, or to what was `counted`; answers like `get`, and `note` is told.

    Raises `ProductNotFound`, `StockReserved`, `Invalid`, `PreconditionFailed` when the stock is
    not at `version` (if given) any more.
    """
    levels = ledger.lock(session, [product_id])
    if not levels:
        raise ProductNotFound()
    level = levels[product_id]
    if version not in (None, level.version):
        raise PreconditionFailed(version=level.version)
    changes = ledger.free_expired(session, levels, now)
    moved = adjustment.adjusted(level.on_hand, level.reserved, delta, counted) - level.on_hand
    if moved:
        changes.append(Change(product_id, MovementKind.ADJUST, moved, 0, reason))
    ledger.apply(session, changes, now, actor.user_id)
    adjusted = get(session, product_id, now)
    note(delta=moved, on_hand=adjusted["on_hand"])
    return adjusted


def movements(
    connection: Connection, product_id: int, limit: int, cursor: str | None
) -> dict[str, Any]:
    """The product's ledger, newest first, as `{"items", "next"}`; raises `ProductNotFound`."""
    query = select(
        Movement.id,
        Movement.product_id,
        Movement.kind,
        Movement.delta_on_hand,
        Movement.delta_reserved,
        Movement.order_id,
        Movement.reason,
        Movement.actor,
        Movement.at,
    ).where(Movement.product_id == product_id)
    rows, following = _NEWEST.page(connection, query, limit, cursor or None)
    if not rows and not connection.scalar(
        select(Stock.product_id).filter_by(product_id=product_id)
    ):
        raise ProductNotFound()
    return {"items": [dict(row) for row in rows], "next": following}
