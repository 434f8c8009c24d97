"""The side that answers: `nameko run bench.probe.service --config config.yaml`."""

from chassis.rpc import rpc
from chassis.service import Service


class ProbeService(Service):
    """Answers with what it was sent."""

    name = "probe"

    @rpc
    def ping(self, n):
        return {"n": n}
