"""Probes: whether the process lives, whether the shop is ready, and each service's health.

They are answered beside the metrics, and here only with `web.probes`.
"""

from __future__ import annotations

from collections.abc import Callable

from chassis.errors import Unavailable
from chassis.messages import Json
from chassis.web import Request, route
from gateway.access import ANYONE
from gateway.schemas.platform import Health, Liveness, Readiness
from gateway.service_health import ServiceHealth, services_behind


def _health_of(service: str) -> Callable[..., Json]:
    """The route that asks one service how it is."""

    @route("GET", f"/api/{service}/health", who=ANYONE, answer=Health, probe=True)
    def get_health(self: PlatformRoutes, request: Request) -> Json:
        """Check that a service answers, and that it reaches its database."""
        return self.service_health.health(service)

    return get_health


class PlatformRoutes:
    """`/livez`, `/readyz` and, for each service that the gateway calls, `/api/{service}/health`."""

    service_health: ServiceHealth

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for service in services_behind(cls):
            setattr(cls, f"get_{service}_health", _health_of(service))

    @route("GET", "/livez", who=ANYONE, answer=Liveness, probe=True)
    def get_liveness(self, request: Request) -> Json:
        """Check that this process answers; nothing else is looked at."""
        return {"status": "ok"}

    @route("GET", "/readyz", who=ANYONE, answer=Readiness, probe=True)
    def get_readiness(self, request: Request) -> Json:
        """Check that the broker and all services are there, and this process is not stopping."""
        checks, test_mode = self.service_health.check()
        if request.route.server.is_stopping:
            checks["gateway"] = "stopping"
        if set(checks.values()) != {"ok"}:
            raise Unavailable("Not everything is there.", code="not_ready", checks=checks)
        return {"status": "ready", "checks": checks, "test_mode": test_mode}
