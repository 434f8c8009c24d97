"""When remembered answers about products and categories are forgotten (ADR 15).

An answer bears the ids of the products that it shows, and

- `CATALOG`, if others may come to be in it: lists of products, and categories;
- `IN_STOCK`, if stock decides who is in it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import partial
from typing import Any

from nameko.extensions import DependencyProvider

from chassis.broker.inbound import Inbound
from chassis.events.broadcast import Listener
from chassis.web.response_cache import ResponseCache
from contracts.products.events import ProductsChanged

CATALOG, IN_STOCK = "catalog", "in stock"


class CatalogCache(DependencyProvider):
    """Injects itself: who has just changed something says so before answering, for the broadcast of
    it may come later than the client's next request."""

    inbound = Inbound()
    response_cache = ResponseCache()

    subscribes = {
        ("products", "catalog_changed"): CATALOG,
        ("inventory", "stock_changed"): IN_STOCK,
    }

    def setup(self) -> None:
        for (source, broadcast_type), of_all in self.subscribes.items():
            Listener(
                self.inbound,
                source,
                broadcast_type,
                ProductsChanged,
                on_broadcast=partial(self._hear, of_all),
                on_gap=self.response_cache.clear,
            )

    def get_dependency(self, worker_ctx: Any) -> CatalogCache:
        return self

    def forget_product(self, product_id: int) -> None:
        """It was made, changed or deleted."""
        self.response_cache.forget((product_id, CATALOG))

    def forget_categories(self) -> None:
        """One was made, changed or deleted, and with it what lists by category show."""
        self.response_cache.forget((CATALOG,))

    def forget_stock(self, product_ids: Iterable[int]) -> None:
        """There are more or fewer of these products."""
        self.response_cache.forget((*product_ids, IN_STOCK))

    def _hear(self, of_all: str, news: dict[str, Any]) -> None:
        product_ids = news["ids"]
        if product_ids is None:
            self.response_cache.clear()
        else:
            self.response_cache.forget((*product_ids, of_all))


def of_product(product: dict[str, Any], product_id: int) -> Iterable[Hashable]:
    """The tags of one product's answer."""
    return (product_id,)


def of_variant(variant: dict[str, Any], variant_id: int) -> Iterable[Hashable]:
    """The tags of one variant's answer: it changes with its product."""
    return (variant["product_id"],)


def of_products(page: dict[str, Any], query: dict[str, Any]) -> Iterable[Hashable]:
    """The tags of a page of products."""
    tags = [CATALOG, *(product["id"] for product in page["items"])]
    return [*tags, IN_STOCK] if "in_stock" in query else tags


def of_categories(body: dict[str, Any], **arguments: Any) -> Iterable[Hashable]:
    """The tags of one category, or of all."""
    return (CATALOG,)
