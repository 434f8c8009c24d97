"""The RPC methods of products."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from chassis.identity import Actor
from chassis.messages import Json


class Products(Protocol):
    """Answers are JSON; their schemas are in `contracts.products.answers`. `fields` are those of
    `requests.ProductFields`, `requests.VariantFields` and `requests.CategoryFields`."""

    def list(
        self,
        *,
        search: str | None = None,
        category: int | str | None = None,
        currency: str | None = None,
        min_price: Decimal | str | None = None,
        max_price: Decimal | str | None = None,
        in_stock: bool | None = None,
        sort: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Json: ...

    def get(self, *, product_id: int) -> Json: ...

    def get_many(self, *, ids: Sequence[int] = ..., skus: Sequence[str] = ...) -> Json: ...

    def get_variant(self, *, variant_id: int) -> Json: ...

    def get_variants(
        self, *, ids: Sequence[int] = ..., product_ids: Sequence[int] = ...
    ) -> Json: ...

    def create(self, *, stock: int = 0, actor: Actor, **fields: Any) -> Json: ...

    def update(
        self, *, product_id: int, version: int | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def delete(self, *, product_id: int, version: int | None = None, actor: Actor) -> None: ...

    def create_variant(
        self, *, product_id: int, stock: int = 0, actor: Actor, **fields: Any
    ) -> Json: ...

    def update_variant(
        self, *, variant_id: int, version: int | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def delete_variant(
        self, *, variant_id: int, version: int | None = None, actor: Actor
    ) -> Json: ...

    def update_option(
        self,
        *,
        product_id: int,
        option_id: int,
        name: str = ...,
        values: Sequence[Mapping[str, Any]] = ...,
        version: int | None = None,
        actor: Actor,
    ) -> Json: ...

    def delete_option(
        self, *, product_id: int, option_id: int, version: int | None = None, actor: Actor
    ) -> Json: ...

    def list_categories(self) -> Json: ...

    def get_category(self, *, category_id: int) -> Json: ...

    def create_category(self, *, actor: Actor, **fields: Any) -> Json: ...

    def update_category(
        self, *, category_id: int, version: int | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def delete_category(
        self, *, category_id: int, version: int | None = None, actor: Actor
    ) -> None: ...
