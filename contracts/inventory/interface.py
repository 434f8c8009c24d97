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
    ) -> Json: ...

    def commit(self, *, order_id: UUID | str) -> Json: ...

    def release(self, *, order_id: UUID | str, reason: str = "released") -> Json: ...
