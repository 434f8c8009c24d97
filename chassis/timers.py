"""Work that is done every so often."""

from contextlib import suppress

from nameko.exceptions import ContainerBeingKilled
from nameko.timer import Timer

from chassis.entrypoints import Measured
from chassis.trace import new_traceparent


class SteadyTimer(Measured, Timer):
    """Nameko's timer with its first run at once, so that a restart need not wait an interval.

    A run that fails is logged and the next one comes; every instance of a service runs it, so the
    work shares itself out by `FOR UPDATE SKIP LOCKED`. Nobody asked for what it does, so it is a
    trace of its own.
    """

    kind = "timer"

    def __init__(self, interval: float, **kwargs):
        super().__init__(interval, eager=True, **kwargs)

    def handle_timer_tick(self):
        with suppress(ContainerBeingKilled):  # which ends this loop as well, and is no news
            self.container.spawn_worker(
                self,
                (),
                {},
                context_data={"traceparent": new_traceparent()},
                handle_result=self.handle_result,
            )


timer = SteadyTimer.decorator
