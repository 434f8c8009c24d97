"""Shipping zones and methods of the sample shop, as `shipping.yaml` tells them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from nameko.exceptions import RemoteError

from shop.operate.calls import SYSTEM, all_of

_FILE = Path(__file__).parent / "shipping.yaml"


def read() -> list[dict[str, Any]]:
    """The zones: what orders.create_shipping_zone takes, and the `methods` of each."""
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def load(orders: Any, progress: Callable[[str], Any]) -> None:
    """Create the zones and methods that are missing. Where a zone of the shop's own has its
    addresses, that one stays the only one."""
    ids = {zone["name"]: zone["id"] for zone in all_of(orders.list_shipping_zones)}
    known = {(one["zone_id"], one["code"]) for one in all_of(orders.list_shipping_methods)}
    made = 0
    for zone in read():
        methods, name = zone.pop("methods"), zone["name"]
        zone_id = ids.get(name) or _create(orders, zone)
        for method in methods:
            if zone_id and (zone_id, method["code"]) not in known:
                orders.create_shipping_method(zone_id=zone_id, actor=SYSTEM, **method)
                made += 1
    if made:
        progress(f"sample data: {made} shipping methods")


def _create(orders: Any, zone: dict[str, Any]) -> str | None:
    try:
        return orders.create_shipping_zone(actor=SYSTEM, **zone)["id"]
    except RemoteError as error:
        if error.exc_type != "ZonesOverlap":
            raise
        return None
