"""Calls with answers, any number at once.

`RabbitBroker.request` serves one caller after the other, so this is what the documentation builds
for RPC ("Reply-To", and the how-to with futures by correlation id): one queue for all answers.
"""

import asyncio
import uuid
from typing import Any

from faststream.rabbit import RabbitBroker, RabbitMessage, RabbitQueue


class RpcClient:
    """Made before the broker starts, which then consumes the answers."""

    def __init__(self, broker: RabbitBroker, timeout: float = 5.0):
        self._broker = broker
        self._timeout = timeout
        self._queue = RabbitQueue(f"replies-{uuid.uuid4()}", exclusive=True, auto_delete=True)
        self._waiting: dict[str, asyncio.Future] = {}
        broker.subscriber(self._queue)(self._receive)

    async def call(self, queue: str, body: Any = None) -> Any:
        """What the subscriber of `queue` answers; raises `TimeoutError`."""
        correlation_id = str(uuid.uuid4())
        answer = self._waiting[correlation_id] = asyncio.get_running_loop().create_future()
        try:
            await self._broker.publish(
                body, queue, reply_to=self._queue.name, correlation_id=correlation_id
            )
            async with asyncio.timeout(self._timeout):
                return await answer
        finally:
            del self._waiting[correlation_id]

    async def _receive(self, body: Any, message: RabbitMessage) -> None:
        answer = self._waiting.get(message.correlation_id)
        if answer is not None and not answer.done():
            answer.set_result(body)
