"""One product, read from PostgreSQL by way of the gateway and a service."""

import random

from bench.judge import WrongAnswer
from bench.measures import Record, ratios
from bench.run import Run
from bench.traffic import Request, ask
from bench.works.statements import limit

_TRUTH = """
    SELECT p.id, p.name, p.price::text, s.on_hand - s.reserved
    FROM products p JOIN stock s ON s.variant_id = p.id WHERE p.id = %s
"""


def some_products(run: Run, count: int) -> list[int]:
    """Ids of as many products, the same in each run."""
    chance = random.Random(run.size.products)  # noqa: S311
    return chance.sample(range(1, run.size.products + 1), count)


def detail(run: Run) -> list[Record]:
    """Past the gateway's cache, where there is one."""
    requests = [Request(f"/api/products/{n}", fresh=True) for n in some_products(run, 2000)]
    _hold_against_database(run, requests[:20])
    found = run.compare("detail", run.rivals(), requests)
    goals = ratios(
        found,
        "shop",
        ("stock_nameko", "of stock Nameko", 3.0, 1.8),
        ("fastapi_httpx", "of FastAPI + httpx", 3.5, 1.5),
        ("moleculer", "of Moleculer", 0.9, 0.3),
    )
    found |= limit(run, "product")
    return [Record("detail", "product detail, uncached", contenders=found, goals=goals)]


def _hold_against_database(run: Run, requests: list[Request]) -> None:
    """The others are held against the shop; the shop against what the rows say."""
    shop = run.contender("shop")
    for request in requests:
        _, body = ask(shop.port, request)
        shown = (body["id"], body["name"], body["price"], body["available"])
        if [shown] != run.rig.rows(f"{shop.place.prefix}_products", _TRUTH, body["id"]):
            raise WrongAnswer(f"the shop shows {shown}")
