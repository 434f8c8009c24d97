"""A call that does nothing: through HTTP, and alone."""

from bench.measures import Record, ratio
from bench.run import Run
from bench.traffic import Request


def through_http(run: Run) -> list[Record]:
    """A number goes to a service and back, through a gateway."""
    title = "RPC round trip through HTTP"
    requests = [Request(f"/ping/{n}") for n in range(1000)]
    found = run.compare(
        "ping",
        run.rivals("chassis"),
        requests,
        check=lambda request, body: body == {"n": int(request.path.rpartition("/")[2])},
    )
    goals = [
        ratio(found["chassis"], found["stock_nameko"], "of stock Nameko", 3.0, guard=1.8),
        ratio(found["chassis"], found["fastapi_httpx"], "of FastAPI + httpx", 3.5, guard=2.0),
    ]
    return [Record("ping", title, contenders=found, goals=goals)]
