"""Searching a catalog of 100,000 products; the peers run the same SQL."""

from urllib.parse import quote

from bench import goods
from bench.measures import Record, ratio
from bench.run import Run
from bench.traffic import Request


def measure(run: Run) -> list[Record]:
    """Words that one product of 500 to one of 20 has, the first page."""
    requests = [
        Request(f"/api/products?limit=20&search={quote(words)}", fresh=True)
        for words in goods.SEARCHES
    ]
    found = run.compare("search", run.rivals(), requests)
    title = f"search, {run.size.products:,} products"
    goals = [ratio(found["shop"], found["fastapi_httpx"], "of FastAPI + httpx", 2.0, guard=1.2)]
    return [Record("search", title, contenders=found, goals=goals)]
