"""The RPC methods of notifications."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chassis.identity import Actor
from chassis.messages import Json
from contracts.notifications.enums import Channel


class Notifications(Protocol):
    """Answers are JSON; their schemas are in `contracts.notifications.answers`."""

    def send(
        self,
        *,
        user_id: UUID,
        channel: Channel,
        subject: str,
        body: str,
        key: str | None = None,
        actor: Actor,
    ) -> Json: ...

    def list(
        self,
        *,
        user_id: UUID,
        actor: Actor,
        unread: bool | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Json: ...

    def since(self, *, user_id: UUID | str, after: int | None = None, limit: int = 100) -> Json: ...

    def positions(self, *, user_ids: Sequence[UUID | str]) -> Json: ...

    def sent_about(self, *, order_id: UUID, limit: int = 100) -> Json: ...

    def mark_read(self, *, notification_id: UUID, read: bool, actor: Actor) -> Json: ...
