"""A second warehouse of the sample shop, with a part of its stock."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from shop.operate.calls import SYSTEM

#: Beside the one that every shop has, which stays the preferred one.
AMSTERDAM = {"code": "AMS", "name": "Amsterdam", "country": "NL", "priority": 200}

#: Lines of one transfer.
_LINES = 100


def load(inventory: Any, progress: Callable[[str], Any]) -> None:
    """Create the warehouse, if it is missing."""
    if AMSTERDAM["code"] not in [one["code"] for one in inventory.list_locations()["items"]]:
        inventory.create_location(**AMSTERDAM, actor=SYSTEM)
        progress("sample data: a warehouse in Amsterdam")


def spread(inventory: Any, products: Iterable[dict[str, Any]]) -> None:
    """Bring a third of the stock of new `products` there."""
    (source, *_) = [one["code"] for one in inventory.list_locations()["items"] if one["active"]]
    if source == AMSTERDAM["code"]:
        return
    way = {"from_": source, "to": AMSTERDAM["code"], "reason": "sample data"}
    lines = list(_thirds(products))
    for start in range(0, len(lines), _LINES):
        some = lines[start : start + _LINES]
        sent = inventory.send_transfer(**way, items=some, actor=SYSTEM)
        inventory.receive_transfer(transfer_id=sent["id"], actor=SYSTEM)


def _thirds(products: Iterable[dict[str, Any]]) -> Iterator[dict[str, int]]:
    for product in products:
        for variant in product["variants"]:
            if quantity := variant["available"] // 3:
                yield {"variant_id": variant["id"], "quantity": quantity}
