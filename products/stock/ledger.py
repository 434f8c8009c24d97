"""The only place where stock counters change, each time with the rows that say why."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import UUID as SqlUuid
from sqlalchemy import BigInteger, Integer, Text, any_, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.errors import PreconditionFailed
from chassis.identity import Actor
from contracts.inventory.enums import MovementKind
from contracts.products.errors import VariantNotFound
from products import cache_invalidation
from products.models import Base, Moment
from products.stock.adjustment import adjusted
from products.stock.reservations import Change, expire

_APPLY = text("""
    WITH change AS (
        SELECT * FROM unnest(
            :products, :kinds, :on_hand, :reserved, :reasons, :orders
        ) WITH ORDINALITY AS change
            (variant_id, kind, on_hand, reserved, reason, order_id, number)
    ),
    counted AS (
        UPDATE stock SET
            on_hand = stock.on_hand + total.on_hand,
            reserved = stock.reserved + total.reserved,
            version = stock.version + 1
        FROM (
            SELECT variant_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved
            FROM change GROUP BY variant_id
        ) AS total
        WHERE stock.variant_id = total.variant_id
    )
    INSERT INTO movements
        (variant_id, kind, delta_on_hand, delta_reserved, order_id, reason, actor, at)
    SELECT variant_id, kind, on_hand, reserved, order_id, reason, :actor, :at
    FROM change ORDER BY number
    RETURNING (SELECT product_id FROM variants WHERE variants.id = variant_id) AS product_id,
        delta_on_hand <> delta_reserved AS is_seen
""").bindparams(
    bindparam("products", type_=ARRAY(BigInteger)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("on_hand", type_=ARRAY(Integer)),
    bindparam("reserved", type_=ARRAY(Integer)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("orders", type_=ARRAY(SqlUuid)),
    bindparam("actor", type_=SqlUuid),
    bindparam("at", type_=Moment),
)


_IDS = bindparam("ids", type_=ARRAY(BigInteger))

_STOCK, _LINES, _VARIANTS = (
    Base.metadata.tables[name] for name in ("stock", "reservation_lines", "variants")
)

_LOCK = (
    select(
        _STOCK.c.variant_id,
        _STOCK.c.on_hand,
        _STOCK.c.reserved,
        _STOCK.c.version,
        _VARIANTS.c.deleted_at.is_(None).label("for_sale"),
        _VARIANTS.c.product_id,
    )
    .join(_VARIANTS, _VARIANTS.c.id == _STOCK.c.variant_id)
    .where(_STOCK.c.variant_id == any_(_IDS))
    .order_by(_STOCK.c.variant_id)
    .with_for_update(of=_STOCK, key_share=True)
)

_FREE_EXPIRED = (
    update(_LINES)
    .where(_LINES.c.variant_id == any_(_IDS), _LINES.c.held_until <= bindparam("now", type_=Moment))
    .values(held_until=None)
    .returning(_LINES.c.order_id, _LINES.c.variant_id, _LINES.c.quantity)
)


@dataclass
class Level:
    """The counters of a variant whose stock row is locked."""

    on_hand: int
    reserved: int
    version: int
    for_sale: bool
    product_id: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


def lock(session: Session, variant_ids: Collection[int]) -> dict[int, Level]:
    """Lock the stock of `variant_ids` until the transaction ends; unknown ones are left out.

    Always in the order of the ids: so two orders with the same products never wait for each other
    in a circle. Everything else that changes with the counters is changed under this lock.
    """
    rows = session.execute(_LOCK, {"ids": list(variant_ids)})
    return {row.variant_id: Level(*row[1:]) for row in rows}


def free_expired(
    session: Session, levels: dict[int, Level], now: datetime.datetime
) -> list[Change]:
    """End what expired reservations hold of the locked products; counts it in `levels` and
    returns the changes that are to be applied."""
    if not any(level.reserved for level in levels.values()):
        return []
    ended = session.execute(_FREE_EXPIRED, {"ids": list(levels), "now": now})
    changes = [expire(*line) for line in ended]
    for change in changes:
        levels[change.variant_id].reserved += change.reserved
    return changes


def adjust(
    session: Session,
    variant_id: int,
    delta: int | None,
    counted: int | None,
    reason: str,
    version: int | None,
    actor: Actor,
    now: datetime.datetime,
) -> int:
    """Change on_hand by `delta`, or to what was `counted`; by how much that was.

    Raises `VariantNotFound`, `StockReserved`, `Invalid`, `PreconditionFailed` when the stock is
    not at `version` (if given) any more.
    """
    levels = lock(session, [variant_id])
    if not levels:
        raise VariantNotFound()
    level = levels[variant_id]
    if version not in (None, level.version):
        raise PreconditionFailed(version=level.version)
    changes = free_expired(session, levels, now)
    moved = adjusted(level.on_hand, level.reserved, delta, counted) - level.on_hand
    if moved:
        changes.append(Change(variant_id, MovementKind.ADJUST, moved, 0, reason))
    apply(session, changes, now, actor.user_id)
    return moved


def apply(
    session: Session,
    changes: Sequence[Change],
    at: datetime.datetime,
    actor: UUID | None = None,
) -> None:
    """Write `changes` to the ledger and add them to the counters of the locked products; `actor`
    is the person behind them, None the system itself."""
    if not changes:
        return
    written = session.execute(
        _APPLY,
        {
            "products": [change.variant_id for change in changes],
            "kinds": [change.kind.value for change in changes],
            "on_hand": [change.on_hand for change in changes],
            "reserved": [change.reserved for change in changes],
            "reasons": [change.reason for change in changes],
            "orders": [change.order_id for change in changes],
            "actor": actor,
            "at": at,
        },
    )
    # One by one: what is reserved anew may just have expired, and readers saw it as free.
    seen = [row.product_id for row in written if row.is_seen]
    if seen:
        cache_invalidation.mark_changed(session, seen)
