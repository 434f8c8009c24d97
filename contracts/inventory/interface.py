"""The RPC methods of inventory."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from chassis.identity import Actor
from chassis.messages import Json


class Inventory(Protocol):
    """Answers are JSON; their schemas are in `contracts.inventory.answers`. `lines` and `items`
    are `requests.Line`s."""

    def get(self, *, variant_id: int) -> Json: ...

    def adjust(
        self,
        *,
        variant_id: int,
        delta: int = ...,
        on_hand: int = ...,
        reason: str,
        location: str | None = None,
        version: int | None = None,
        actor: Actor,
    ) -> Json: ...

    def movements(self, *, variant_id: int, limit: int = 20, cursor: str | None = None) -> Json: ...

    def check(self, *, items: Sequence[Mapping[str, Any]]) -> Json: ...

    def reserve(
        self,
        *,
        order_id: UUID | str,
        lines: Sequence[Mapping[str, Any]],
        expires_at: datetime.datetime | str,
        country: str | None = None,
    ) -> Json: ...

    def commit(self, *, order_id: UUID | str) -> Json: ...

    def release(self, *, order_id: UUID | str, reason: str = "released") -> Json: ...

    def allocation(self, *, order_id: UUID | str) -> Json: ...

    def relocate(
        self, *, order_id: UUID | str, items: Sequence[Mapping[str, Any]], actor: Actor
    ) -> Json: ...

    def list_locations(self) -> Json: ...

    def get_location(self, *, code: str) -> Json: ...

    def create_location(
        self, *, code: str, name: str, key: str | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def update_location(
        self, *, code: str, version: int | None = None, actor: Actor, **fields: Any
    ) -> Json: ...

    def send_transfer(
        self,
        *,
        from_: str,
        to: str,
        items: Sequence[Mapping[str, Any]],
        reason: str = ...,
        key: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def receive_transfer(
        self,
        *,
        transfer_id: UUID | str,
        items: Sequence[Mapping[str, Any]] | None = None,
        key: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def cancel_transfer(self, *, transfer_id: UUID | str, actor: Actor) -> Json: ...

    def get_transfer(self, *, transfer_id: UUID | str, actor: Actor) -> Json: ...

    def list_transfers(
        self,
        *,
        state: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
        actor: Actor,
    ) -> Json: ...
