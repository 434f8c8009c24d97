"""The RPC methods of carts."""

from typing import Protocol
from uuid import UUID

from chassis.messages import Json


class Carts(Protocol):
    """Each answers with the cart (`contracts.carts.answers.Cart`), `shipping` with
    `contracts.orders.shipping.ShippingQuotes`."""

    def get(self, *, user_id: UUID) -> Json: ...

    def add_item(
        self, *, user_id: UUID, variant_id: int = ..., product_id: int = ..., quantity: int
    ) -> Json: ...

    def update_quantity(
        self, *, user_id: UUID, variant_id: int = ..., product_id: int = ..., quantity: int
    ) -> Json: ...

    def remove_item(
        self,
        *,
        user_id: UUID,
        variant_id: int = ...,
        product_id: int = ...,
        quantity: int | None = None,
    ) -> Json: ...

    def clear(self, *, user_id: UUID) -> Json: ...

    def set_address(
        self,
        *,
        user_id: UUID,
        country: str,
        region: str | None = None,
        postal_code: str | None = None,
    ) -> Json: ...

    def shipping(self, *, user_id: UUID) -> Json: ...
