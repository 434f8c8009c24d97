"""Work that is done every so often."""

from contextlib import suppress
from typing import Any

from nameko.exceptions import ContainerBeingKilled
from nameko.timer import Timer

from chassis.entrypoints import Measured
from chassis.trace import new_traceparent


class SteadyTimer(Measured, Timer):
    """Nameko's timer with its first run at once, so that a restart need not wait an interval;
    `eager=False` for one that is to wait.

    A run that fails is logged and the next one comes; every instance of a service runs it, so the
    work shares itself out by `FOR UPDATE SKIP LOCKED`. Nobody asked for what it does, so it is a
    trace of its own.
    """

    kind = "timer"

    def __init__(self, interval: float, eager: bool = True, **kwargs: Any):
        super().__init__(interval, eager=eager, **kwargs)

    def handle_timer_tick(self) -> None:
        with suppress(ContainerBeingKilled):  # which ends this loop as well
            self.container.spawn_worker(
                self,
                (),
                {},
                context_data={"traceparent": new_traceparent()},
                handle_result=self.handle_result,
            )


timer = SteadyTimer.decorator
