"""The only place where stock counters change, each time with the rows that say why."""

import datetime
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import UUID as SqlUuid
from sqlalchemy import BigInteger, Integer, Text, any_, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.errors import PreconditionFailed
from chassis.identity import Actor
from contracts.inventory.enums import MovementKind
from contracts.inventory.errors import NotHeld, OutOfStock
from contracts.products.errors import VariantNotFound
from products import cache_invalidation
from products.models import Base, Moment
from products.stock.adjustment import adjusted
from products.stock.reservations import Change, expire

_APPLY = text("""
    WITH change AS (
        SELECT * FROM unnest(
            :variants, :locations, :kinds, :on_hand, :reserved, :reasons, :orders, :causes
        ) WITH ORDINALITY AS change
            (variant_id, location, kind, on_hand, reserved, reason, order_id, cause_id, number)
    ),
    counted AS (
        UPDATE stock SET
            on_hand = stock.on_hand + total.on_hand,
            reserved = stock.reserved + total.reserved,
            version = stock.version + 1
        FROM (
            SELECT variant_id, location, sum(on_hand) AS on_hand, sum(reserved) AS reserved
            FROM change GROUP BY variant_id, location
        ) AS total
        WHERE stock.variant_id = total.variant_id AND stock.location = total.location
    )
    INSERT INTO movements
        (variant_id, location, kind, delta_on_hand, delta_reserved, order_id, cause_id, reason,
         actor, at)
    SELECT variant_id, location, kind, on_hand, reserved, order_id, cause_id, reason, :actor, :at
    FROM change ORDER BY number
    RETURNING (SELECT product_id FROM variants WHERE variants.id = variant_id) AS product_id,
        delta_on_hand <> delta_reserved AS is_seen
""").bindparams(
    bindparam("variants", type_=ARRAY(BigInteger)),
    bindparam("locations", type_=ARRAY(Text)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("on_hand", type_=ARRAY(Integer)),
    bindparam("reserved", type_=ARRAY(Integer)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("orders", type_=ARRAY(SqlUuid)),
    bindparam("causes", type_=ARRAY(SqlUuid)),
    bindparam("actor", type_=SqlUuid),
    bindparam("at", type_=Moment),
)

# Each of the variants gets a row at the location, if it has none yet. The versions of a variant's
# rows together are that of its stock, which such a row does not change.
_OPEN = text("""
    INSERT INTO stock (variant_id, location, on_hand, reserved, version)
    SELECT id, :location, 0, 0,
        CASE WHEN EXISTS (SELECT FROM stock WHERE variant_id = variants.id) THEN 0 ELSE 1 END
    FROM variants
    WHERE id = ANY(:variants) AND EXISTS (SELECT FROM locations WHERE code = :location)
    ORDER BY id
    ON CONFLICT DO NOTHING
""").bindparams(bindparam("variants", type_=ARRAY(BigInteger)), bindparam("location", type_=Text))

_IDS = bindparam("ids", type_=ARRAY(BigInteger))

_STOCK, _LINES, _VARIANTS = (
    Base.metadata.tables[name] for name in ("stock", "reservation_lines", "variants")
)

_LOCK = (
    select(
        _STOCK.c.variant_id,
        _STOCK.c.location,
        _STOCK.c.on_hand,
        _STOCK.c.reserved,
        _STOCK.c.version,
        _VARIANTS.c.deleted_at.is_(None).label("for_sale"),
        _VARIANTS.c.product_id,
    )
    .join(_VARIANTS, _VARIANTS.c.id == _STOCK.c.variant_id)
    .where(_STOCK.c.variant_id == any_(_IDS))
    .order_by(_STOCK.c.variant_id, _STOCK.c.location)
    .with_for_update(of=_STOCK, key_share=True)
)

_FREE_EXPIRED = (
    update(_LINES)
    .where(_LINES.c.variant_id == any_(_IDS), _LINES.c.held_until <= bindparam("now", type_=Moment))
    .values(held_until=None)
    .returning(
        _LINES.c.order_id,
        _LINES.c.variant_id,
        _LINES.c.location,
        _LINES.c.quantity - _LINES.c.shipped - _LINES.c.cancelled,
    )
)


@dataclass
class Level:
    """The counters of a variant at a location, whose stock row is locked."""

    on_hand: int
    reserved: int
    version: int
    for_sale: bool
    product_id: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


#: The levels of variants by place, all places of each.
Levels = dict[tuple[int, str], Level]


def lock(session: Session, variant_ids: Collection[int]) -> Levels:
    """Lock the stock of `variant_ids` at all locations until the transaction ends; unknown ones are
    left out.

    Always in the order of variant and location: so two orders with the same variants never wait for
    each other in a circle. Everything else that changes with the counters is changed under this
    lock.
    """
    rows = session.execute(_LOCK, {"ids": list(variant_ids)})
    return {(row.variant_id, row.location): Level(*row[2:]) for row in rows}


@contextmanager
def naming_products(levels: Levels) -> Iterator[None]:
    """Tell of what is short, or is not held, with the product of each variant."""
    try:
        yield
    except (OutOfStock, NotHeld) as fault:
        products = {variant_id: level.product_id for (variant_id, _), level in levels.items()}
        for line in fault.data["lines"]:
            line["product_id"] = products.get(line["variant_id"])
        raise


def open_stock(session: Session, variant_ids: Iterable[int], location: str) -> None:
    """Let these variants have stock, of nothing, at a location; what they have there stays. Of what
    does not exist nothing is written."""
    session.execute(_OPEN, {"variants": list(variant_ids), "location": location})


def free_expired(session: Session, levels: Levels, now: datetime.datetime) -> list[Change]:
    """End what expired reservations hold of the locked variants; counts it in `levels` and
    returns the changes that are to be applied."""
    if not any(level.reserved for level in levels.values()):
        return []
    variants = list({variant_id for variant_id, _ in levels})
    ended = session.execute(_FREE_EXPIRED, {"ids": variants, "now": now})
    changes = [expire(*line) for line in ended]
    count(levels, changes)
    return changes


def count(levels: Levels, changes: Iterable[Change]) -> None:
    """Let the levels be those after the changes, which are still to be applied."""
    for change in changes:
        levels[change.variant_id, change.location].on_hand += change.on_hand
        levels[change.variant_id, change.location].reserved += change.reserved


def adjust(
    session: Session,
    variant_id: int,
    location: str,
    delta: int | None,
    counted: int | None,
    reason: str,
    version: int | None,
    actor: Actor,
    now: datetime.datetime,
    *,
    of_all: bool = False,
) -> int:
    """Change on_hand at a location by `delta`, or to what was `counted` there, or at all locations
    together (`of_all`); by how much that was.

    Raises `VariantNotFound`, `StockReserved`, `Invalid`, `PreconditionFailed` when the stock of all
    locations together is not at `version` (if given) any more.
    """
    open_stock(session, [variant_id], location)
    levels = lock(session, [variant_id])
    if not levels:
        raise VariantNotFound()
    current = sum(level.version for level in levels.values())
    if version not in (None, current):
        raise PreconditionFailed(version=current)
    level = levels[variant_id, location]
    changes = free_expired(session, levels, now)
    if counted is not None and of_all:
        delta, counted = counted - sum(level.on_hand for level in levels.values()), None
    moved = adjusted(location, level.on_hand, level.reserved, delta, counted) - level.on_hand
    if moved:
        changes.append(Change(variant_id, location, MovementKind.ADJUST, moved, 0, reason))
    apply(session, changes, now, actor.user_id)
    return moved


def apply(
    session: Session,
    changes: Sequence[Change],
    at: datetime.datetime,
    actor: UUID | None = None,
) -> None:
    """Write `changes` to the ledger and add them to the counters of the locked stock; `actor`
    is the person behind them, None the system itself."""
    if not changes:
        return
    written = session.execute(
        _APPLY,
        {
            "variants": [change.variant_id for change in changes],
            "locations": [change.location for change in changes],
            "kinds": [change.kind.value for change in changes],
            "on_hand": [change.on_hand for change in changes],
            "reserved": [change.reserved for change in changes],
            "reasons": [change.reason for change in changes],
            "orders": [change.order_id for change in changes],
            "causes": [change.cause_id for change in changes],
            "actor": actor,
            "at": at,
        },
    )
    # One by one: what is reserved anew may just have expired, and readers saw it as free.
    seen = [row.product_id for row in written if row.is_seen]
    if seen:
        cache_invalidation.mark_changed(session, seen)
