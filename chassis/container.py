"""The container that `SERVICE_CONTAINER_CLS` in config.yaml names."""

from logging import getLogger
from typing import Any

from eventlet import Timeout
from nameko.containers import ServiceContainer as NamekoContainer
from nameko.exceptions import ConfigurationError

from chassis import config as configuration

log = getLogger(__name__)


class ServiceContainer(NamekoContainer):
    """Nameko's container, which reads its settings before anything starts.

    A wrong setting ends the process with one line and status 1; Nameko would print a traceback
    for some and end with status 0 for others. `max_workers_of` gives a service its own number of
    workers: the gateway's wait, and need many; the others' work, and need few. `STOP_TIMEOUT`
    bounds how long a stop waits for them, where Nameko would wait for ever.
    """

    def __init__(self, service_cls: type, config: dict[str, Any]):
        try:
            shared = configuration.check(configuration.ChassisSettings(), config)
            workers = shared["max_workers_of"].get(service_cls.name, shared["max_workers"])
            super().__init__(service_cls, {**config, **shared, "max_workers": workers})
            for extension in self.extensions:
                if hasattr(extension, "check"):
                    extension.check()
        except ConfigurationError as wrong:
            raise SystemExit(f"{service_cls.name}: {wrong}") from None

    def stop(self) -> None:
        """Finish what is in hand; what is not finished in time is left to its rollback, to the
        broker, which delivers it again, and to the caller's deadline."""
        timeout = Timeout(self.config["STOP_TIMEOUT"])
        try:
            super().stop()
        except Timeout as expired:
            if expired is not timeout:
                raise
            log.warning("%s did not finish in time", self.service_name)
            self.kill()
        finally:
            timeout.cancel()
