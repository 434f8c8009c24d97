"""Is everything there that a request may need?"""

from __future__ import annotations

import inspect
from typing import Any

from nameko.extensions import DependencyProvider

from chassis.errors import Fault
from chassis.rpc import ReplyListener, RpcProxy, ServiceProxy
from chassis.rpc.client import Reply

#: Seconds in which a service has to say that it is well: who asks wants to know now.
PATIENCE = 2.0


def services_behind(gateway: type) -> list[str]:
    """The names of the services that a gateway class has a proxy to."""
    proxies = inspect.getmembers(gateway, lambda value: isinstance(value, RpcProxy))
    return sorted({proxy.target_service for _, proxy in proxies})


class ServiceHealth(DependencyProvider):
    """Injects itself, to ask services how they are; each looks at its database first."""

    replies = ReplyListener()

    def get_dependency(self, worker_ctx: Any) -> ServiceHealth:
        return self

    def health(self, service: str) -> dict[str, Any]:
        """What the service says of itself; raises the `Fault` of an unwell or absent one."""
        return self._ask(service).result()

    def check(self) -> tuple[dict[str, str], bool]:
        """`{"broker": "ok", "users": "ok", ...}`, or the code of the fault in place of "ok"; and
        whether payments take no real money."""
        checks = {"broker": "ok" if self.replies.outbound.connected else "broker_unavailable"}
        asked, test_mode = {}, False
        for service in services_behind(self.container.service_cls):
            try:
                asked[service] = self._ask(service)
            except Fault as fault:
                checks[service] = fault.code
        for service, reply in asked.items():
            try:
                answer = reply.result()
                checks[service] = answer["status"]
                test_mode = test_mode or answer.get("test_mode", False)
            except Fault as fault:
                checks[service] = fault.code
        return checks, test_mode

    def _ask(self, service: str) -> Reply:
        return ServiceProxy(self.replies, service, timeout=PATIENCE).health.call_async()
