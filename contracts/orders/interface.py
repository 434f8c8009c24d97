"""The RPC methods of orders."""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from chassis.identity import Actor
from chassis.messages import Json
from contracts.products.fields import STANDARD


class Orders(Protocol):
    """Answers are JSON; their schemas are in `contracts.orders.answers`. Those of shipping, and the
    `fields` of zones and methods, are in `contracts.orders.shipping`."""

    def place(
        self,
        *,
        user_id: UUID,
        items: Sequence[Mapping[str, Any]] | None = None,
        shipping_address: Mapping[str, Any] | None = None,
        expected_total: Decimal | None = None,
        currency: str | None = None,
        shipping_method: str | None = None,
        key: str | None = None,
    ) -> Json: ...

    def pay(
        self, *, order_id: UUID, method: Mapping[str, str], key: str | None = None, actor: Actor
    ) -> Json: ...

    def get(self, *, order_id: UUID, actor: Actor) -> Json: ...

    def list(
        self,
        *,
        actor: Actor,
        user_id: UUID | None = None,
        status: str | None = None,
        payment_status: str | None = None,
        number: str | None = None,
        search: str | None = None,
        from_: datetime.datetime | None = None,
        to: datetime.datetime | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Json: ...

    def update(
        self,
        *,
        order_id: UUID,
        actor: Actor,
        shipping_address: Mapping[str, Any] | None = None,
        status: str | None = None,
        version: int | None = None,
    ) -> Json: ...

    def cancel(self, *, order_id: UUID, actor: Actor, reason: str | None = None) -> Json: ...

    def hide(self, *, order_id: UUID, actor: Actor) -> None: ...

    def timeline(self, *, order_id: UUID, actor: Actor) -> Json: ...

    def fulfil(
        self,
        *,
        order_id: UUID,
        actor: Actor,
        items: Sequence[Mapping[str, Any]] | None = None,
        location: str | None = None,
        state: str = ...,
        carrier: str | None = None,
        tracking_number: str | None = None,
        tracking_url: str | None = None,
        key: str | None = None,
    ) -> Json: ...

    def get_fulfilment(self, *, fulfilment_id: UUID, actor: Actor) -> Json: ...

    def list_fulfilments(
        self, *, order_id: UUID, actor: Actor, limit: int = 20, cursor: str | None = None
    ) -> Json: ...

    def update_fulfilment(
        self,
        *,
        fulfilment_id: UUID,
        actor: Actor,
        state: str | None = None,
        carrier: str | None = None,
        tracking_number: str | None = None,
        tracking_url: str | None = None,
        version: int | None = None,
    ) -> Json: ...

    def cancel_fulfilment(self, *, fulfilment_id: UUID, actor: Actor) -> Json: ...

    def cancel_items(
        self,
        *,
        order_id: UUID,
        items: Sequence[Mapping[str, Any]],
        key: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def list_checkouts(
        self, *, actor: Actor, state: str | None = None, limit: int = 20, cursor: str | None = None
    ) -> Json: ...

    def retry_checkout(self, *, order_id: UUID, actor: Actor) -> Json: ...

    def undo_checkout(self, *, order_id: UUID, actor: Actor) -> Json: ...

    def create_tax_rate(
        self,
        *,
        country: str,
        rate: Decimal,
        label: str,
        actor: Actor,
        region: str | None = None,
        tax_class: str = STANDARD,
        reason: str | None = None,
        valid_from: datetime.datetime | None = None,
        valid_until: datetime.datetime | None = None,
        key: str | None = None,
    ) -> Json: ...

    def list_tax_rates(
        self,
        *,
        actor: Actor,
        country: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Json: ...

    def end_tax_rate(
        self, *, tax_rate_id: UUID, actor: Actor, valid_until: datetime.datetime | None = None
    ) -> None: ...

    def list_shipping_zones(
        self, *, actor: Actor, limit: int = 20, cursor: str | None = None
    ) -> Json: ...

    def get_shipping_zone(self, *, zone_id: UUID, actor: Actor) -> Json: ...

    def create_shipping_zone(
        self, *, key: str | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def update_shipping_zone(
        self, *, zone_id: UUID, version: int | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def delete_shipping_zone(
        self, *, zone_id: UUID, version: int | None = None, actor: Actor
    ) -> None: ...

    def list_shipping_methods(
        self,
        *,
        actor: Actor,
        zone_id: UUID | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Json: ...

    def get_shipping_method(self, *, method_id: UUID, actor: Actor) -> Json: ...

    def create_shipping_method(
        self, *, zone_id: UUID, key: str | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def update_shipping_method(
        self, *, method_id: UUID, version: int | None = None, actor: Actor, **fields: Any
    ) -> Json: ...
