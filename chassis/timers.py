"""Work that is done every so often."""

from nameko.timer import Timer


class SteadyTimer(Timer):
    """Nameko's timer with its first run at once, so that a restart need not wait an interval.

    A run that fails is logged and the next one comes; every instance of a service runs it, so the
    work shares itself out by `FOR UPDATE SKIP LOCKED`.
    """

    def __init__(self, interval: float, **kwargs):
        super().__init__(interval, eager=True, **kwargs)


timer = SteadyTimer.decorator
