"""How much slower the slowest are, with the shop as busy as one would let it be."""

from bench.measures import Goal, Record, Series
from bench.run import NAMED_PEERS, Run
from bench.traffic import Request
from bench.works.products import some_products

#: Of the best throughput; connections are plenty, so that what is due is sent.
_SHARE, _CONNECTIONS = 0.7, 64


def measure(run: Run) -> list[Record]:
    """Product details at a fixed rate, timed from when each request was due."""
    names = ("shop", *NAMED_PEERS)
    requests = [Request(f"/api/products/{n}", fresh=True) for n in some_products(run, 2000)]
    best = run.compare("tail", names, requests)
    sent = [request.to_bytes() for request in requests]
    found = {}
    for each in map(run.contender, names):
        found[each.name] = series = Series()
        rate = _SHARE * best[each.name].median
        for number in range(run.size.rounds):
            run.show.doing("tail", f"round {number + 1}: {each.name} at {rate:.0f}/s")
            loaded = run.load(each.port, sent, rate=rate, connections=_CONNECTIONS)
            series.latencies.append(loaded.latencies)
            series.figures.append(loaded.latencies["p99"] / loaded.latencies["p50"])
            run.show.figure("tail", each.name, series.figures[-1], "× the median")
    ours = found["shop"]
    low, high = ours.spread
    goal = Goal("at p99", ours.median, 4.0, is_most=True, unit="× the median", low=low, high=high)
    title = "p99 at 70 % of the best throughput, product detail"
    return [Record("tail", title, unit="× the median", contenders=found, goals=[goal])]
