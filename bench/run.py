"""One run of the bench: what every work has at hand."""

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from bench import install
from bench.contenders import ALL, PEERS, SHOP, Contender, Place
from bench.judge import Check, Judge, WrongAnswer
from bench.load import Plan
from bench.measures import Series, rotated
from bench.people import Buyer, sign_up
from bench.rig import Rig
from bench.show import Show
from bench.started import IDLE_SECONDS, Started, cpu_of
from bench.traffic import Request, ask
from shop.local.place import ROOT
from shop.local.server import free_ports


@dataclass(frozen=True)
class Loaded:
    """What the load generator saw: answers a second, latencies in microseconds (p50, p90, p99,
    max), answers by status, and a sample of bodies with the numbers of their requests."""

    rate: float
    latencies: dict[str, float]
    statuses: dict[str, int]
    lost: int
    sample: list[tuple[int, str]]

    @property
    def answered(self) -> int:
        """All of them, also those that don't count."""
        return sum(self.statuses.values())


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    products: int
    orders: int
    buyers: int
    rounds: int
    seconds: float
    connections: int = 16


#: The peers that goals name.
NAMED_PEERS = ("stock_nameko", "fastapi_httpx")
#: What takes orders in another way than a peer, and does nothing else differently.
LEAN_PEER = "fastapi_lean"

FULL = Size(products=100_000, orders=20_000, buyers=64, rounds=5, seconds=4)
QUICK = Size(products=5_000, orders=1_000, buyers=32, rounds=3, seconds=1.5)


class Run:
    """Contenders are started when a work first needs them, and stay until the end: what idles
    hardly costs. The shop comes first, for its tokens are everybody's."""

    def __init__(
        self,
        rig: Rig,
        show: Show,
        size: Size,
        is_quick: bool = False,
        shortcuts: Collection[str] = (),
    ):
        self.rig = rig
        self.show = show
        self.size = size
        self.is_quick = is_quick
        #: Those of `bench.ablations` that are taken out; all when there are none.
        self.shortcuts = shortcuts
        #: Names for people of whoever is in a record.
        self.titles = {name: each.title for name, each in ALL.items()}
        #: Contenders that can't run here.
        self.missing: set[str] = set()
        self._started: dict[str, Started] = {}
        self._stack = ExitStack()
        self._logs = rig.folder / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        for log in self._logs.iterdir():
            log.unlink()
        shutil.rmtree(rig.folder / "mails", ignore_errors=True)

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *error: object) -> None:
        self.show.say("stopping")
        self._stack.close()

    @cached_property
    def template(self) -> str:
        """The databases that all contenders get copies of."""
        return self.rig.template(self.size.products, self.size.orders)

    @cached_property
    def buyers(self) -> list[Buyer]:
        """Who buys, at every contender."""
        shop = self.contender(SHOP.name)
        self.show.say(f"signing up {self.size.buyers} buyers")
        return sign_up(shop.port, self.size.buyers, self.mails)

    @property
    def mails(self) -> Path:
        """Where the shops' mails are."""
        return self.rig.folder / "mails"

    @cached_property
    def token_keys(self) -> str:
        """The public keys of the shop, a JWKS."""
        shop = self.contender(SHOP.name)
        return json.dumps(ask(shop.port, Request("/.well-known/jwks.json"))[1])

    def rivals(self, ours: str = SHOP.name) -> list[str]:
        """Us, and those that a run of this length is against."""
        names = NAMED_PEERS if self.is_quick else [name for name in PEERS if name != LEAN_PEER]
        return [name for name in (ours, *names) if self.has(name)]

    def has(self, name: str) -> bool:
        """Whether this contender can run on this machine."""
        if name != "moleculer" or install.node_packages(ALL[name].folder, self.show.say):
            return True
        self.missing.add(name)
        return False

    def contender(self, name: str) -> Started:
        """A contender that runs, on databases of its own."""
        if name not in self._started:
            self._started[name] = self._start(ALL[name])
        return self._started[name]

    def join(self, contender: Contender) -> None:
        """One more takes part from now on; used for limits, which are not on everybody's list."""
        if contender.name not in self._started:
            self._started[contender.name] = self._start(contender)
            self.titles[contender.name] = contender.title

    @contextmanager
    def guests(self, *contenders: Contender, template: str) -> Iterator[None]:
        """These take part meanwhile, by their names, on copies of `template`."""
        try:
            for each in contenders:
                self.titles[each.name] = each.title
                self.show.say(f"starting {each.name}")
                self._started[each.name] = self.start(each, each.name, template)
            yield
        finally:
            for each in contenders:
                if started := self._started.pop(each.name, None):
                    started.stop()

    def start(self, contender: Contender, prefix: str, template: str) -> Started:
        """One more, on copies of another template; whoever starts it stops it."""
        if contender.packages:
            self.rig.copies(template, prefix, contender.packages)
        keys = self.token_keys if contender.needs_tokens else ""
        place = Place(
            ports=tuple(free_ports(3)),
            amqp_uri=self.rig.amqp(prefix),
            prefix=prefix,
            dsn=self.rig.dsn,
            token_keys=keys,
            mails=self.mails,
        )
        started = Started(contender, place, self._logs, self.rig.folder)
        try:
            started.start()
        except BaseException:
            started.stop()
            raise
        return started

    def load(
        self, port: int, requests: Sequence[str], *, expect: int | None = 200, **plan: Any
    ) -> Loaded:
        """Load whatever answers HTTP there; see `bench.load.Plan`. `WrongAnswer` when an answer has
        not the status that is expected, or none came."""
        plan = {"connections": self.size.connections, "seconds": self.size.seconds} | plan
        whole = dataclasses.asdict(Plan(port=port, requests=list(requests), **plan))
        python = install.PYTHON if install.PYTHON.exists() else sys.executable
        done = subprocess.run(
            [str(python), str(ROOT / "bench" / "load.py")],
            input=json.dumps(whole).encode(),
            capture_output=True,
        )
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise WrongAnswer(f"the load generator failed: {' '.join(last)}")
        loaded = Loaded(**json.loads(done.stdout))
        if loaded.lost or (expect and set(loaded.statuses) != {str(expect)}):
            last = loaded.sample[-1][1] if loaded.sample else ""
            raise WrongAnswer(
                f"answers by status: {loaded.statuses}, {loaded.lost} without one; at last {last}"
            )
        return loaded

    def compare(
        self,
        work: str,
        names: Sequence[str],
        requests: Sequence[Request],
        *,
        expect: int = 200,
        check: Check | None = None,
        without: Sequence[str] = (),
        quiet: float = IDLE_SECONDS,
        rounds: int | None = None,
    ) -> dict[str, Series]:
        """The rates of these contenders at the same requests, in turns; the shop's services
        `without` stand still while it is measured.

        Their answers are compared with those of the first, or, where each answer is new, held
        against `check`; both before the first round and by samples after each. After its turn a
        contender may finish what it put off, until it is `quiet`, before it is the next one's.
        """
        contenders = [self.contender(name) for name in names]
        judge = Judge(contenders[0], requests, expect, check)
        sent = [request.to_bytes() for request in requests]
        rounds = rounds or self.size.rounds
        found = {each.name: Series() for each in contenders}
        for each in contenders:
            self.show.doing(work, f"{each.name}: are its answers right?")
            found[each.name].answered += judge.examine(each)
            self.show.doing(work, f"{each.name}: warming up")
            loaded, _ = self._turn(each, sent, judge, expect, quiet, seconds=0.7, first=0)
            found[each.name].answered += loaded.answered
        for number in range(rounds):
            for each in rotated(contenders, number):
                self.show.doing(work, f"round {number + 1} of {rounds}: {each.name}")
                first = number * len(requests) // rounds
                series = found[each.name]
                before = self.cpu(each)
                still = without if each.name == SHOP.name else ()
                loaded, rest = self._turn(each, sent, judge, expect, quiet, still, first=first)
                after = self.cpu(each)
                series.costs.append(
                    {n: max(0.0, after[n] - before[n]) / loaded.answered for n in before}
                )
                series.figures.append(loaded.rate)
                series.latencies.append(loaded.latencies)
                series.rests.append(rest)
                series.answered += loaded.answered
                self.show.figure(work, each.name, loaded.rate)
        return found

    def _turn(
        self,
        each: Started,
        requests: list[str],
        judge: Judge,
        expect: int,
        quiet: float,
        without: Sequence[str] = (),
        **plan: Any,
    ) -> tuple[Loaded, float]:
        """What was seen, and for how many seconds it worked on."""
        try:
            with each.without(*without):
                loaded = self.load(each.port, requests, expect=expect, **plan)
        except WrongAnswer as wrong:
            raise WrongAnswer(f"{each.name}: {wrong}") from None
        rest = each.await_rest(quiet)
        judge.look_at(each, loaded.sample)
        return loaded, rest

    def cpu(self, each: Started) -> dict[str, float]:
        """Processor time so far, in the contender's processes and in the servers."""
        postgres, rabbitmq = (psutil.Process(pid) for pid in self.rig.server_pids)
        return each.cpu_by_process() | {
            "PostgreSQL": cpu_of([postgres, *postgres.children(recursive=True)]),
            "RabbitMQ": cpu_of([rabbitmq, *rabbitmq.children(recursive=True)]),
        }

    def _start(self, contender: Contender) -> Started:
        install.python_packages(self.show.say)
        template = self.template if contender.packages else ""
        self.show.say(f"starting {contender.title}")
        started = self.start(contender, contender.name, template)
        self._stack.callback(started.stop)
        return started
