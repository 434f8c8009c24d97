"""Reads while people sign in: argon2id takes a processor tens of milliseconds for each of them."""

from concurrent.futures import ThreadPoolExecutor

from bench.measures import Record, Series, ratio
from bench.run import Loaded, Run
from bench.traffic import Request, ask
from bench.works.products import some_products
from shop.local.server import LocalError

#: Logins a second: 7,200 an hour, the rush of a shop with a hundred thousand customers. Who is
#: signed in stays so for a month by refresh tokens, which need no hash.
RATE = 2.0

_ACCOUNT = {"email": "login@example.com", "password": "a bench needs no secrets"}


def measure(run: Run) -> list[Record]:
    """Product details past the cache, alone and beside a steady stream of logins, in turns."""
    shop = run.contender("shop")
    status, answer = ask(shop.port, Request("/api/users/signup", "POST", _ACCOUNT))
    if status != 201:
        raise LocalError(f"the shop signs nobody up: {status} {answer}")
    login = [Request("/api/users/login", "POST", _ACCOUNT).to_bytes()]
    reads = [Request(f"/api/products/{n}", fresh=True).to_bytes() for n in some_products(run, 2000)]
    alone, beside, logins = Series(), Series(), Series()
    for number in range(run.size.rounds):
        run.show.doing("login", f"round {number + 1}: reads alone")
        _note(alone, run.load(shop.port, reads))
        run.show.figure("login", "reads alone", alone.figures[-1])
        run.show.doing("login", f"round {number + 1}: {RATE:g} logins a second beside them")
        with ThreadPoolExecutor(1) as pool:
            signing_in = pool.submit(run.load, shop.port, login, rate=RATE, connections=2)
            _note(beside, run.load(shop.port, reads))
            _note(logins, signing_in.result())
        run.show.figure("login", "beside logins", beside.figures[-1])
        shop.await_rest()
    return [
        Record(
            "login",
            f"product detail beside {RATE:g} logins a second",
            contenders={"reads alone": alone, "beside logins": beside},
            goals=[ratio(beside, alone, "of the reads alone", 0.85, guard=0.6)],
            notes=[f"a login takes {logins.latency('p50') / 1000:.0f} ms beside the reads"],
        )
    ]


def _note(series: Series, loaded: Loaded) -> None:
    series.figures.append(loaded.rate)
    series.latencies.append(loaded.latencies)
