"""A call that does nothing: through HTTP, and alone."""

import json
import subprocess
import sys

from bench import install
from bench.judge import WrongAnswer
from bench.measures import Record, Series, ratio, ratios, rotated
from bench.run import Run
from bench.traffic import Request
from shop.local.place import ROOT


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
    goals = ratios(
        found,
        "chassis",
        ("stock_nameko", "of stock Nameko", 3.0, 1.8),
        ("fastapi_httpx", "of FastAPI + httpx", 3.5, 2.0),
        ("moleculer", "of Moleculer", 0.5, 0.2),
    )
    return [Record("ping", title, contenders=found, goals=goals)]


def alone(run: Run) -> list[Record]:
    """The same without HTTP: from a process that only calls."""
    chassis, nameko = run.contender("chassis"), run.contender("stock_nameko")
    python = str(install.PYTHON)
    callers = {
        "chassis": [sys.executable, "-m", "bench.caller", "chassis", "probe"],
        "stock_nameko": [python, "-m", "bench.caller", "nameko", "products"],
        "amqp_loop": [sys.executable, "-m", "bench.limits.amqp_loop"],
    }
    uris = {"chassis": chassis.place.amqp_uri, "stock_nameko": nameko.place.amqp_uri}
    run.titles["amqp_loop"] = "limit: bare AMQP request and reply in Python"
    found = {name: Series() for name in callers}
    for number in range(run.size.rounds):
        for name in rotated([*callers], number):
            run.show.doing("rpc", f"round {number + 1} of {run.size.rounds}: {name}")
            uri = uris.get(name, chassis.place.amqp_uri)
            rate = _rate(run, [*callers[name], "--uri", uri])
            found[name].figures.append(rate)
            run.show.figure("rpc", name, rate)
    goals = [ratio(found["chassis"], found["amqp_loop"], "of the bare AMQP loop", 0.7, guard=0.4)]
    return [Record("rpc", "RPC round trip alone", contenders=found, goals=goals)]


def _rate(run: Run, command: list[str]) -> float:
    """What a program measured that prints `{"rate"}`."""
    options = ["--seconds", str(run.size.seconds), "--in-flight", str(run.size.connections)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise WrongAnswer(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)["rate"]
