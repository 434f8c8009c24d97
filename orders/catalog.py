"""The products service, as carts and checkouts need it."""

from collections.abc import Iterable
from typing import Any

from orders import schemas

_PRODUCTS = schemas.Products()

#: Most products in one call.
BATCH = 100


def look_up(products: Any, ids: Iterable[int]) -> dict[int, dict[str, Any] | None]:
    """Each of `ids` with its product ({id, name, price, currency, available}), None when there is
    no such product. `products` is the proxy to the service."""
    wanted = list(dict.fromkeys(ids))
    found: dict[int, dict[str, Any] | None] = dict.fromkeys(wanted)
    for start in range(0, len(wanted), BATCH):
        answer = products.get_many(ids=wanted[start : start + BATCH])
        found |= {product["id"]: product for product in _PRODUCTS.load(answer)["items"]}
    return found
