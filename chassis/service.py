"""What every service of the shop has."""

from typing import Any

import structlog
from nameko.extensions import DependencyProvider
from sqlalchemy import text

from chassis.database import Handle
from chassis.rpc import rpc
from chassis.trace import trace_id_of


class Log(DependencyProvider):
    """Injects a structlog logger, and has every line of a worker carry what it belongs to."""

    def worker_setup(self, worker_ctx: Any) -> None:
        # Each worker is a greenthread of its own, with context variables of its own.
        structlog.contextvars.bind_contextvars(
            service=worker_ctx.service_name,
            entrypoint=worker_ctx.entrypoint.method_name,
            request_id=worker_ctx.data.get("request_id"),
            trace_id=trace_id_of(worker_ctx.data.get("traceparent")),
        )

    def get_dependency(self, worker_ctx: Any) -> Any:
        return structlog.get_logger(worker_ctx.service_name)


class Service:
    """Base of the Nameko service classes."""

    name: str
    log: Any = Log()
    health: Any

    def condition(self) -> dict[str, Any]:
        """What this service adds to the answer of its `health`."""
        return {}

    def __init_subclass__(cls, **kwargs: Any):
        """Give each service a `health` of its own.

        Were it an entrypoint of this class, `nameko run` would take the base, which every service
        module imports, for one more service.
        """
        super().__init_subclass__(**kwargs)

        def health(self: Any) -> dict[str, Any]:
            """`{"service", "status": "ok"}` and what `condition` adds, after a look at the database
            if there is one; raises `Unavailable` when that is away."""
            database = getattr(self, "db", None)
            if isinstance(database, Handle):
                with database.autocommit() as connection:
                    connection.execute(text("SELECT 1"))
            return {"service": self.name, "status": "ok"} | self.condition()

        cls.health = rpc(health)
