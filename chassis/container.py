"""The container that `SERVICE_CONTAINER_CLS` in config.yaml names."""

import gc
import sys
from collections.abc import Callable, Iterator
from functools import cache
from logging import getLogger
from typing import Any

from eventlet import Timeout
from nameko.containers import ServiceContainer as NamekoContainer
from nameko.containers import WorkerContext
from nameko.exceptions import ConfigurationError

from chassis import config as configuration
from chassis import outages, tracing
from chassis.broker import tls
from chassis.errors import DeadlineExceeded, Fault, Unavailable
from chassis.gauges import Sample
from chassis.hooks import hooks_of
from chassis.metrics.exporter import exporter_of
from chassis.metrics.observer import MetricsObserver
from chassis.observers import NOBODY, Observers

log = getLogger(__name__)


class ServiceContainer(NamekoContainer):
    """Nameko's container, which reads its settings before anything starts.

    A wrong setting ends the process with one line and status 1; Nameko would print a traceback
    for some and end with status 0 for others. `max_workers_of` gives a service its own number of
    workers: the gateway's wait, and need many; the others' work, and need few. `STOP_TIMEOUT`
    bounds how long a stop waits for them, where Nameko would wait for ever.
    """

    def __init__(self, service_cls: Any, config: dict[str, Any]):
        try:
            shared = configuration.check(configuration.ChassisSettings(), config)
            workers = shared["max_workers_of"].get(service_cls.name, shared["max_workers"])
            # For extensions of Nameko's own in this process.
            secure = {"AMQP_SSL": tls.options(shared["AMQP_URI"], shared["AMQP_TLS"])}
            super().__init__(service_cls, {**config, **shared, **secure, "max_workers": workers})
            tracing.settings_in(config)
            for part in hooks_of(self):
                part.check()
            self._exporter = exporter_of(self.config)
        except ConfigurationError as wrong:
            raise SystemExit(f"{service_cls.name}: {wrong}") from None
        self.observers = NOBODY  # until the start

    def start(self) -> None:
        tracer = tracing.tracer_for(self.service_name, self.config)
        metrics = MetricsObserver(self.service_name)
        self.observers = Observers(*([metrics] if tracer is None else [metrics, tracer]))
        if self._exporter:
            self._exporter.add(self)
        super().start()
        self.observers.started(self)
        keep_what_has_started()

    def stop(self) -> None:
        """Finish the work under way; what is not finished in time is left to its rollback, to the
        broker, which delivers it again, and to the caller's deadline."""
        delay = max((part.stop_delay for part in hooks_of(self)), default=0)
        timeout = Timeout(delay + self.config["STOP_TIMEOUT"])
        try:
            super().stop()
        except Timeout as expired:
            if expired is not timeout:
                raise
            log.warning("%s did not finish in time", self.service_name)
            self.kill()
        finally:
            timeout.cancel()
            self._stop_observing()

    def kill(self, exc_info: Any = None) -> None:
        super().kill(exc_info)
        self._stop_observing()

    def _stop_observing(self) -> None:
        """Tell no more of what is measured and recorded."""
        if self._exporter:
            self._exporter.remove(self)
        self.observers.closed()

    def samples(self) -> Iterator[Sample]:
        """How much of what may be done at once is."""
        yield Sample("shop_workers", "Workers of a service.", self._worker_pool.size)
        busy = self._worker_pool.running()
        yield Sample("shop_workers_busy", "Workers that are at work.", busy)

    def _run_worker(
        self, worker_ctx: WorkerContext, handle_result: Callable[..., Any] | None
    ) -> None:
        """As Nameko's own, but for the debug lines that it times and words for each worker, which
        cost as much as a small method itself. A fault is an answer and is not logged; an
        outage is logged once, by who found it (`chassis.outages`)."""
        end = self.observers.work(worker_ctx)
        self._inject_dependencies(worker_ctx)
        self._worker_setup(worker_ctx)
        entrypoint = worker_ctx.entrypoint
        result = exc_info = None
        try:
            method = getattr(worker_ctx.service, entrypoint.method_name)
            result = method(*worker_ctx.args, **worker_ctx.kwargs)
        except Exception as error:
            if outages.is_logged(error):
                pass
            elif _came_from_outside(error, entrypoint.expected_exceptions):
                log.warning("%s failed: %s", worker_ctx, error)
            elif not isinstance(error, entrypoint.expected_exceptions):
                log.exception("error handling worker %s: %s", worker_ctx, error)
            elif not isinstance(error, Fault):
                log.info("%s ended in an expected %s", worker_ctx, type(error).__name__)
            exc_info = sys.exc_info()
        if handle_result is not None:
            result, exc_info = handle_result(worker_ctx, result, exc_info)
        if end is not None:
            end(exc_info and exc_info[1])
        self._worker_result(worker_ctx, result, exc_info)
        del exc_info  # or its traceback would keep this frame until the garbage collector comes
        self._worker_teardown(worker_ctx)


@cache
def keep_what_has_started() -> None:
    """Once in a process: what is there now stays to the end, so it need not be looked through for
    garbage, for which everything would stand still for a tenth of a second now and then."""
    gc.collect()
    gc.freeze()


def _came_from_outside(error: Exception, expected: tuple[type[Exception], ...]) -> bool:
    """Whether somebody that a timer or a handler needs did not do as asked: the fault says all."""
    if isinstance(error, expected) or error.__cause__ is not None:
        return False
    return isinstance(error, Unavailable | DeadlineExceeded)
