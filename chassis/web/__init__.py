"""HTTP in front of a Nameko service: routes, validation, problem documents, bounds, a clean stop.

The way of a request: `protocol` reads its head off the connection, `app` finds its route and reads
its body, `routes` runs the method in a Nameko worker, `answers` shapes what goes back, and
`streams` what goes on. What is in the `response_cache` needs no worker. `server` owns the socket
and the end.
"""

from chassis.web.etags import expected_version
from chassis.web.request import Request
from chassis.web.responses import Response
from chassis.web.routes import Route, route, route_table

__all__ = ["Request", "Response", "Route", "expected_version", "route", "route_table"]
