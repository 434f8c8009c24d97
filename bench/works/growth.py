"""What a request costs with a thousand rows and with a million: one at a time, past the cache.

Two shops, alike but for their databases, are asked in turns. The products are those of
`bench.goods`; of the orders, which are as many, every tenth is one buyer's.
"""

from contextlib import ExitStack
from urllib.parse import quote, urlencode

from bench import goods
from bench.contenders import SHOP
from bench.measures import Record, Series, ratio
from bench.run import Run
from bench.started import Started
from bench.traffic import Request, ask
from shop.local.server import LocalError

FEW, MANY = 1_000, 1_000_000

#: Products that are looked at, spread over all of them.
_DETAILS = 500
#: With one product on each, a catalog of a thousand has as many pages.
_PAGE = 1_000

_ACCOUNT = {"email": "growth@example.com", "password": "a bench needs no secrets"}

_TAKE_OVER = """
    WITH me AS (SELECT id FROM users WHERE email = %s),
    forgotten AS (DELETE FROM known_networks WHERE user_id IN (SELECT id FROM me))
    UPDATE users SET id = %s WHERE id IN (SELECT id FROM me)
"""


def measure(run: Run) -> list[Record]:
    """Milliseconds for each kind of request, and how many times as long it takes with more rows."""
    with ExitStack() as stack:
        shops = {}
        for rows in (FEW, MANY):
            template = run.rig.template(rows, rows)
            run.show.say(f"starting a shop with {rows:,} products and as many orders")
            shops[rows] = run.start(SHOP, f"growth_{rows}", template)
            stack.callback(shops[rows].stop)
        asked = {rows: _requests(run, shop, rows) for rows, shop in shops.items()}
        return [_compare(run, title, shops, asked) for title in asked[FEW]]


def _compare(
    run: Run,
    title: str,
    shops: dict[int, Started],
    asked: dict[int, dict[str, list[Request]]],
) -> Record:
    found = {rows: Series() for rows in shops}
    for number in range(run.size.rounds):
        for rows, shop in shops.items():
            run.show.doing("growth", f"{title}, {rows:,} rows, round {number + 1}")
            sent = [request.to_bytes() for request in asked[rows][title]]
            loaded = run.load(shop.port, sent, connections=1, warm=0.5)
            found[rows].figures.append(1000 / loaded.rate)
            found[rows].latencies.append(loaded.latencies)
            run.show.figure("growth", f"{title}, {rows:,}", found[rows].figures[-1], "ms")
    goal = ratio(found[MANY], found[FEW], "as long with 1 M rows as with 1 k", 1.5, is_most=True)
    contenders = {f"{rows:,} rows": series for rows, series in found.items()}
    return Record(f"growth: {title}", f"{title}, one at a time", "ms", contenders, [goal])


def _requests(run: Run, shop: Started, rows: int) -> dict[str, list[Request]]:
    cursor = _cursor_of_page(shop)
    token = _faithful_buyer(run, shop)
    return {
        "product detail": [
            Request(f"/api/products/{product}", fresh=True)
            for product in range(1, rows + 1, max(1, rows // _DETAILS))
        ],
        "list page 1": [Request("/api/products?limit=20", fresh=True)],
        "list page 1,000": [Request(f"/api/products?limit=1&cursor={cursor}", fresh=True)],
        "search": [
            Request(f"/api/products?limit=20&search={quote(words)}", fresh=True)
            for words in goods.SEARCHES
        ],
        "own orders": [Request("/api/orders?limit=20", token=token)],
    }


def _cursor_of_page(shop: Started) -> str:
    """Where page 1,000 begins, found as a reader would."""
    cursor = None
    for _ in range(1, _PAGE):
        query = urlencode({"limit": 1} | ({"cursor": cursor} if cursor else {}))
        _, page = ask(shop.port, Request(f"/api/products?{query}"))
        cursor = page["next"]
    if cursor is None:
        raise LocalError(f"{shop.name} has no page {_PAGE}")
    return quote(cursor)


def _faithful_buyer(run: Run, shop: Started) -> str:
    """A token of the one who has many orders: somebody who signs up takes over that id."""
    signed_up, _ = ask(shop.port, Request("/api/users/signup", "POST", _ACCOUNT))
    run.rig.rows(
        f"{shop.place.prefix}_users",
        _TAKE_OVER,
        _ACCOUNT["email"],
        goods.FAITHFUL_BUYER,
    )
    status, tokens = ask(shop.port, Request("/api/users/login", "POST", _ACCOUNT))
    if (signed_up, status) != (201, 200):
        raise LocalError(f"{shop.name} signs nobody in: {signed_up}, {status}")
    return tokens["access_token"]
