"""An order of three lines: reserved, written with its event, answered 201; `fsync` is on.

All of the shop is at work meanwhile, mails, feeds and timelines included, which no peer has.
"""

import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bench import profiled
from bench.judge import WrongAnswer
from bench.measures import Record, Series, ratios
from bench.people import Buyer
from bench.run import LEAN_PEER, Run
from bench.traffic import Request
from bench.works.statements import limit

#: Enough that nothing is sold out, as long as a measurement lasts.
_WELL_STOCKED = "SELECT id, price FROM products JOIN stock ON variant_id = id WHERE on_hand >= 100"

_LINES, _ORDERS = 3, 2000

#: Processes that an order keeps busy.
_AT_WORK = ("gateway", "orders", "products", "notifications")
#: Seconds; longer than the pause between two rounds of mail, which would fall into another's turn.
QUIET = 2.5
#: Services that come after an order has been answered, and that no peer has.
_AFTERWARDS = ("notifications", "payments")
_ALONE = "this shop, no mails and payments meanwhile"


def measure(run: Run) -> list[Record]:
    """Nobody gives more to do than the other: the same buyers order the same things everywhere."""
    prices = well_stocked(run, run.contender("shop").place.prefix)
    requests = baskets(run.buyers, sorted(prices))

    def compare(names: Sequence[str], without: Sequence[str] = ()) -> dict[str, Series]:
        return run.compare(
            "checkout",
            names,
            requests,
            expect=201,
            check=lambda request, body: _is_right(request.body, body, prices),
            without=without,
            quiet=QUIET,
        )

    found = compare([*run.rivals(), LEAN_PEER])
    goals = ratios(
        found,
        "shop",
        ("stock_nameko", "of stock Nameko", 2.5, 1.2),
        ("fastapi_httpx", "of FastAPI + httpx", 2.0, 0.7),
        ("moleculer", "of Moleculer", 1.0, 0.3),
        (LEAN_PEER, "of a lean FastAPI + httpx", 1.5, 0.4),
    )
    answered = {name: series.answered for name, series in found.items()}
    parts: dict[str, dict[str, float]] = {}
    if not run.is_quick:
        found[_ALONE] = compare(["shop"], _AFTERWARDS)["shop"]
        parts, orders = _profile(run, requests, found["shop"].cost)
        answered["shop"] += found[_ALONE].answered + orders
    notes = [_books(run, name, orders) for name, orders in answered.items()]
    found |= limit(run, "checkout")
    notes += [
        "All of the shop is at work: mails, feeds and timelines, which no peer has. Where its"
        " notifications and payments stand still until a round is over, its row says so.",
        "The lean one prices and reserves in one call, as the shop does, and keeps neither a"
        " ledger of stock nor a timeline.",
    ]
    notes += _explained(sum(found["shop"].cost.values()), parts)
    title = "checkout, 3 lines, everybody told meanwhile"
    record = Record("checkout", title, contenders=found, goals=goals, notes=notes, parts=parts)
    return [record]


def _profile(
    run: Run, requests: list[Request], cost: dict[str, float]
) -> tuple[dict[str, dict[str, float]], int]:
    """How the cost of each process falls into parts, and how many orders it took to find out."""
    run.show.doing("checkout", "where does the time go?")
    shop, seconds = run.contender("shop"), run.size.seconds
    sent = [request.to_bytes() for request in requests]
    logs = run.rig.folder / "logs"
    with profiled.watched(shop, _AT_WORK, seconds, logs) as shares:
        loaded = run.load(shop.port, sent, expect=201)
    shop.await_rest(QUIET)
    parts = {
        service: {purpose: share * cost[service] for purpose, share in shared.items()}
        for service, shared in shares.items()
    }
    parts |= {server: {server: cost[server]} for server in ("PostgreSQL", "RabbitMQ")}
    return parts, loaded.answered


def _explained(whole: float, parts: dict[str, dict[str, float]]) -> list[str]:
    """What there is to save, and what not."""
    if not parts:
        return []
    by_purpose: Counter[str] = Counter()
    for part in parts.values():
        by_purpose.update(part)
    servers = by_purpose["PostgreSQL"] + by_purpose["RabbitMQ"]
    return [
        f"Of the shop's {whole:.1f} ms for an order, {servers:.1f} are PostgreSQL's and RabbitMQ's,"
        f" {by_purpose['database']:.1f} go to asking the one (SQLAlchemy, psycopg2) and"
        f" {by_purpose['broker']:.1f} to talking to the other (py-amqp)."
    ]


def well_stocked(run: Run, prefix: str) -> dict[int, Decimal]:
    """Prices by the ids of products."""
    return dict(run.rig.rows(f"{prefix}_products", _WELL_STOCKED))


def baskets(buyers: list[Buyer], products: list[int]) -> list[Request]:
    """Orders of different products by different buyers, the same in each run."""
    chance = random.Random(1)  # noqa: S311
    return [
        Request(
            "/api/orders",
            "POST",
            {
                "items": [
                    {"product_id": product, "quantity": 1}
                    for product in chance.sample(products, _LINES)
                ],
                "shipping_address": buyers[number % len(buyers)].address,
            },
            token=buyers[number % len(buyers)].token,
        )
        for number in range(_ORDERS)
    ]


def _is_right(asked: dict[str, Any], order: dict[str, Any], prices: dict[int, Decimal]) -> bool:
    wanted = {line["product_id"]: line["quantity"] for line in asked["items"]}
    lines = order["items"]
    return (
        {line["product_id"]: line["quantity"] for line in lines} == wanted
        and all(Decimal(line["unit_price"]) == prices[line["product_id"]] for line in lines)
        and Decimal(order["total"]) == sum(Decimal(line["line_total"]) for line in lines)
        and (order["status"], order["payment_status"]) == ("pending", "unpaid")
    )


def _books(run: Run, name: str, answered: int) -> str:
    """What the rows say: each order that was answered, with its lines, all of them reserved."""
    prefix = run.contender(name).place.prefix
    orders = run.rig.value(f"{prefix}_orders", "SELECT count(*) FROM orders WHERE status='pending'")
    lines = run.rig.value(
        f"{prefix}_orders",
        "SELECT count(*) FROM order_lines JOIN orders ON id = order_id WHERE status = 'pending'",
    )
    told = run.rig.value(
        f"{prefix}_orders", "SELECT count(*) FROM outbox WHERE type = 'order_placed'"
    )
    reserved = run.rig.value(f"{prefix}_products", "SELECT sum(reserved) FROM stock")
    if (orders, lines, reserved, told) != (answered, *[_LINES * answered] * 2, answered):
        raise WrongAnswer(
            f"{name} answered {answered} orders and has {orders}, with {lines} lines, {reserved}"
            f" reserved and {told} events"
        )
    return f"{name}: {orders} orders, each with its lines, reservation and outbox row."
