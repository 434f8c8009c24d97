"""The side that asks: `nameko run bench.probe.gateway --config config.yaml`."""

from marshmallow import fields, validate

from chassis.fields import Request
from chassis.rpc import RpcProxy
from chassis.service import Service
from chassis.web import route
from gateway.access import ANYONE


class PingPath(Request):
    n = fields.Integer(required=True, validate=validate.Range(min=0, max=2**31 - 1))


class ProbeGateway(Service):
    """A gateway with one route."""

    name = "probe_gateway"
    probe = RpcProxy("probe")

    @route("GET", "/ping/{n}", who=ANYONE, path=PingPath)
    def ping(self, request, n):
        """Send a number there and back."""
        return self.probe.ping(n=n)
