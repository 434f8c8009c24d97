"""What most people look at most of the time, with the gateway's read cache on."""

import json

from bench.contenders import bare_answer
from bench.measures import Record, ratio
from bench.run import Run
from bench.traffic import Request, ask
from bench.works.products import some_products

#: Products that people look at again and again.
_POPULAR = 200


def measure(run: Run) -> list[Record]:
    """A popular product and, when there is time, the first page of the list."""
    details = [Request(f"/api/products/{n}") for n in some_products(run, _POPULAR)]
    found = [_record(run, "cached detail", "product detail, read cache on", details)]
    if not run.is_quick:
        page = [Request("/api/products?limit=20")]
        found.append(_record(run, "cached list", "first list page, read cache on", page))
    return found


def _record(run: Run, name: str, title: str, requests: list[Request]) -> Record:
    limit = _limit(run, requests[0])
    found = run.compare(name, ["shop", "fastapi_httpx", limit], requests)
    goals = [
        ratio(found["shop"], found["fastapi_httpx"], "of FastAPI + httpx", 6.0, guard=3.0),
        ratio(found["shop"], found[limit], "of a bare WSGI answer", 0.8, guard=0.5),
    ]
    return Record(name, title, contenders=found, goals=goals)


def _limit(run: Run, request: Request) -> str:
    """A contender that answers as many bytes as the shop does, without any work."""
    shop = run.contender("shop")
    _, body = ask(shop.port, request)
    limit = bare_answer(len(json.dumps(body, separators=(",", ":"))))
    run.join(limit)
    return limit.name
