"""Tax rates of the sample shop, as `taxes.yaml` tells them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from shop.operate.calls import SYSTEM, all_of

_FILE = Path(__file__).parent / "taxes.yaml"


def read() -> Iterator[dict[str, Any]]:
    """What orders.create_tax_rate takes, for each class in each country."""
    for country in yaml.safe_load(_FILE.read_text(encoding="utf-8")):
        for tax_class, rate in country["rates"].items():
            is_zero = rate == "0"
            yield {
                "country": country["country"],
                "tax_class": tax_class,
                "rate": rate,
                "label": country["label"] if is_zero else f"{country['label']} {rate} %",
                "reason": country["reason"] if is_zero else None,
            }


def load(orders: Any, progress: Callable[[str], Any]) -> None:
    """Set the rates of each class in each country that has never had one."""
    known = {(one["country"], one["tax_class"]) for one in all_of(orders.list_tax_rates)}
    missing = [one for one in read() if (one["country"], one["tax_class"]) not in known]
    for rate in missing:
        orders.create_tax_rate(actor=SYSTEM, **rate)
    if missing:
        progress(f"sample data: {len(missing)} tax rates")
