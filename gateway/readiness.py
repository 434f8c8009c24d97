"""Is everything there that a request may need?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nameko.extensions import DependencyProvider

from chassis.errors import Fault
from chassis.rpc.client import Reply, ReplyListener, ServiceProxy

#: The services behind the gateway.
SERVICES = ("users", "products", "inventory", "carts", "orders", "payments", "notifications")

#: Seconds in which a service has to say that it is well: a probe wants to know now.
PATIENCE = 2.0


class Readiness(DependencyProvider):
    """Injects a function that asks the broker and all services, at once, with little patience."""

    replies = ReplyListener()

    def get_dependency(self, worker_ctx: Any) -> Any:
        return self.check

    def check(self) -> dict[str, str]:
        """`{"broker": "ok", "users": "ok", ...}`, or the code of the fault in place of "ok".

        A service looks at its database before it answers.
        """
        asked = {service: self._ask(service) for service in SERVICES}
        broker = "ok" if self.replies.outbound.connected else "broker_unavailable"
        return {"broker": broker} | {service: _told(reply) for service, reply in asked.items()}

    def _ask(self, service: str) -> Reply | Fault:
        provider = SimpleNamespace(
            target_service=service, timeout=PATIENCE, errors=(), replies=self.replies
        )
        nobody = SimpleNamespace(data={}, context_data={})
        try:
            return ServiceProxy(provider, nobody).health.call_async()
        except Fault as fault:
            return fault


def _told(reply: Reply | Fault) -> str:
    try:
        return reply.code if isinstance(reply, Fault) else reply.result()["status"]
    except Fault as fault:
        return fault.code
