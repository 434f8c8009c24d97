"""The products service, as carts and checkouts need it."""

from collections.abc import Iterable
from typing import Any

from contracts.products import interface
from contracts.products.answers import ProductList
from contracts.products.requests import MAX_IDS

#: Products as they are now ({id, name, price, currency, available}), by id; None: there is none.
Products = dict[int, dict[str, Any] | None]

#: What is needed of a product.
_FIELDS = ("id", "name", "price", "currency", "available")
_PRODUCTS = ProductList(only=[f"items.{name}" for name in _FIELDS])


def look_up(products: interface.Products, ids: Iterable[int]) -> Products:
    """Each of `ids` with its product; `products` is the proxy to the service."""
    wanted = list(dict.fromkeys(ids))
    found: Products = dict.fromkeys(wanted)
    for start in range(0, len(wanted), MAX_IDS):
        answer = products.get_many(ids=wanted[start : start + MAX_IDS])
        found |= {product["id"]: product for product in _PRODUCTS.load(answer)["items"]}
    return found
