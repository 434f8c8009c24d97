"""What the databases say of the orders that buyers wanted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bench.rig import Rig

_ORDERS = "SELECT id::text, shipping_address->>'line1' FROM orders WHERE status <> 'cancelled'"
_HELD = "SELECT order_id::text FROM reservations WHERE state = 'reserved'"
_ORDERED = """
    SELECT product_id, sum(quantity) FROM order_lines JOIN orders ON id = order_id
    WHERE status <> 'cancelled' GROUP BY product_id
"""
_STOCK = "SELECT variant_id, on_hand, reserved FROM stock"
_UNDER_WAY = "SELECT count(*) FROM checkouts"

#: The first products are scarce, for all that buyers want of them.
SCARCE = """
    WITH short AS (
        UPDATE stock SET on_hand = %s FROM stock before
        WHERE before.variant_id = stock.variant_id AND stock.variant_id <= %s
        RETURNING stock.variant_id, stock.on_hand - before.on_hand AS delta
    )
    INSERT INTO movements (variant_id, kind, delta_on_hand, delta_reserved, reason, at)
    SELECT variant_id, 'adjust', delta, 0, 'made scarce', now() FROM short WHERE delta <> 0
"""


@dataclass(frozen=True)
class Wrong:
    """How many acknowledged orders are not there (`lost`), orders there are beyond one for an
    intent (`duplicated`), pieces were promised beyond what there is (`oversold`), and orders
    without their stock or stock held for no order there are (`stuck`)."""

    lost: int
    duplicated: int
    oversold: int
    stuck: int


def under_way(rig: Rig, prefix: str) -> int:
    """Checkouts that somebody still has to finish or to undo; peers keep no such list."""
    return rig.value(f"{prefix}_orders", _UNDER_WAY)


def compare(rig: Rig, prefix: str, placed: Mapping[str, str]) -> Wrong:
    """The books of a contender against the orders that it acknowledged (ids by intent)."""
    orders = dict(rig.rows(f"{prefix}_orders", _ORDERS))
    held = {order for (order,) in rig.rows(f"{prefix}_products", _HELD)}
    ordered = dict(rig.rows(f"{prefix}_orders", _ORDERED))
    stock = rig.rows(f"{prefix}_products", _STOCK)
    return Wrong(
        lost=len(set(placed.values()) - orders.keys()),
        duplicated=sum(many - 1 for many in Counter(orders.values()).values()),
        oversold=int(
            sum(
                max(0, ordered.get(product, 0) - on_hand, reserved - on_hand)
                for product, on_hand, reserved in stock
            )
        ),
        stuck=len(orders.keys() ^ held),
    )
