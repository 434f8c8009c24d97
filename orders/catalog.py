"""The products service, as carts and checkouts need it."""

import datetime
from collections.abc import Iterable
from typing import Any

from chassis.messages import Json
from contracts.inventory.answers import Reserved
from contracts.products import interface
from contracts.products.answers import ProductList
from contracts.products.requests import MAX_IDS

#: Products as they are now ({id, name, price, currency, available}), by id; None: there is none.
Products = dict[int, dict[str, Any] | None]

#: What is needed of a product.
_FIELDS = ("id", "name", "price", "currency", "available")
_PRODUCTS = ProductList(only=[f"items.{name}" for name in _FIELDS])
_RESERVED = Reserved(only=["expires_at", "lines"], partial=["lines"])


def look_up(products: interface.Products, ids: Iterable[int]) -> Products:
    """Each of `ids` with its product; `products` is the proxy to the service."""
    wanted = list(dict.fromkeys(ids))
    found: Products = dict.fromkeys(wanted)
    for start in range(0, len(wanted), MAX_IDS):
        answer = products.get_many(ids=wanted[start : start + MAX_IDS])
        found |= {product["id"]: product for product in _PRODUCTS.load(answer)["items"]}
    return found


def reserved(answer: Json) -> tuple[Products, datetime.datetime | None]:
    """The products that inventory has reserved, without what is available of them, and until when;
    neither when it is of the release before, which did not say and takes stock only when called."""
    loaded = _RESERVED.load(answer)
    lines = loaded.get("lines")
    if lines is None:
        return {}, None
    return {line["variant_id"]: line for line in lines}, loaded["expires_at"]
