"""The RPC methods of payments."""

import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from chassis.identity import Actor
from chassis.messages import Json


class Payments(Protocol):
    """Answers are JSON; their schemas are in `contracts.payments.answers`."""

    def charge(
        self,
        *,
        order_id: UUID,
        order_number: str | None = None,
        user_id: UUID,
        amount: Decimal,
        currency: str,
        method: Any,
        key: str,
    ) -> Json: ...

    def refund(
        self,
        *,
        payment_id: UUID,
        amount: Decimal | None = None,
        reason: str,
        key: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def cancel(self, *, order_id: UUID, actor: Actor) -> Json: ...

    def get(self, *, payment_id: UUID, actor: Actor) -> Json: ...

    def list(
        self,
        *,
        order_id: UUID,
        key: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def webhook(self, *, provider: str, body: str, signature: str | None = None) -> None: ...

    def returned(self, *, provider: str, reference: str) -> Json: ...

    def reconcile(
        self, *, since: datetime.datetime, until: datetime.datetime, actor: Actor
    ) -> Json: ...
