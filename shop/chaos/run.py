"""One run: buyers and faults until there were enough of both, then rest, then the books."""

import datetime
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nameko.standalone.rpc import ClusterRpcProxy

from chassis import config as configuration
from shop.chaos import acknowledged, plan, reconciled
from shop.chaos.buyers import PASSWORD, Buyer, Storekeeper
from shop.chaos.client import Client
from shop.chaos.idle import Rest
from shop.chaos.journal import Journal
from shop.chaos.packer import Packer
from shop.chaos.plan import KILL, Fault
from shop.chaos.victims import Victims
from shop.local.place import Place
from shop.operate.calls import SYSTEM
from shop.verify import INVARIANTS, Books, Invariant, Verdict, verify

#: Products that all buyers want, and how many there are of each at first.
PRODUCTS, STOCK = 8, 5
#: Where there are as many once more.
ELSEWHERE = "STORM-SHED"
#: Seconds for those who insist to be served once the faults are over.
INSISTENCE = 90
#: Seconds without an order after which the next fault comes all the same; and after which, without
#: any fault, the shop stands still.
LULL, STANDSTILL = 20, 90

#: What a crash between the broker's confirmation and the outbox's mark does: an event comes again,
#: and late.
_REPEAT = """
    UPDATE outbox SET sent_at = NULL WHERE id IN (
        SELECT id FROM outbox WHERE sent_at IS NOT NULL ORDER BY random() LIMIT 3)
"""

_PROVIDER = {
    "partial captures": "SELECT count(*) FROM simulator_charges"
    " WHERE captured < amount AND status = 'succeeded'",
    "challenges passed": "SELECT count(*) FROM simulator_charges"
    " WHERE passes_at IS NOT NULL AND status = 'succeeded'",
    "lost requests": "SELECT count(*) FROM simulator_outages",
    "webhooks taken": "SELECT count(*) FROM provider_notices",
}


@dataclass(frozen=True)
class Aim:
    """The faults end when there were `orders` orders and `kills` kills, or after `seconds`; then
    the shop has `rest` seconds to come to rest, and `settle` more for its books to agree."""

    seed: int
    orders: int
    kills: int
    seconds: float = 3600
    buyers: int = 12
    rest: float = 240
    settle: float = 30


@dataclass
class Outcome:
    """What happened. `faults` are (second, fault); `unrest` is what never ended, by name."""

    aim: Aim
    journal: Journal
    faults: list[tuple[float, Fault]] = field(default_factory=list)
    seconds: float = 0.0
    unrest: dict[str, int] = field(default_factory=dict)
    #: What the payment provider did to charges and webhooks, and how often.
    provider: dict[str, int] = field(default_factory=dict)
    verdicts: dict[Invariant, Verdict] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        return sum(fault.kind == KILL for _, fault in self.faults)

    @property
    def fell_short(self) -> bool:
        """The shop stood still before it had all orders, though there was time."""
        return self.journal.counts["orders"] < self.aim.orders and self.seconds < self.aim.seconds

    @property
    def violations(self) -> int:
        """How often a rule was broken; that the shop stood still, or did not come to rest, is one
        more each."""
        broken = sum(len(verdict.violations) for verdict in self.verdicts.values())
        return broken + bool(self.unrest) + self.fell_short


class Run:
    """A run against the local shop at `place`; `phase` says what it is doing. `is_private`: it is
    a shop of its own, whose times are short."""

    def __init__(self, place: Place, aim: Aim, is_private: bool = True):
        self.phase = "preparing"
        self._is_private = is_private
        self._journal = Journal()
        self.outcome = Outcome(aim, self._journal)
        self._place = place
        self._aim = aim
        self._closed = threading.Event()  # nobody begins anything new
        self._dark = threading.Event()  # nobody insists any more
        #: Orders that are to be sent, by their ids.
        self._to_pack: queue.Queue[str] = queue.Queue()
        self._victims = Victims(place)
        self._began = datetime.datetime.now(datetime.UTC)
        self._config = configuration.load() | place.environment()

    def go(self, tell: Callable[[Invariant, Verdict], None] = lambda *_: None) -> Outcome:
        """Run, rest, verify; `tell` hears of each invariant as it is decided."""
        staff = self._employee()
        products = self._stock_up(staff)
        self.phase = "chaos"
        work = [partial(self._buy, number, staff, products) for number in range(self._aim.buyers)]
        work += [partial(self._keep_store, staff, products), self._repeat_events]
        work += [partial(self._pack, staff)]
        with ThreadPoolExecutor(len(work)) as pool:
            jobs = [pool.submit(job) for job in work]
            try:
                self._harm()
            except KeyboardInterrupt:
                self._dark.set()
                raise
            finally:
                self._close()
            for job in jobs:
                job.result()
        self.outcome.seconds = self._journal.seconds
        self._audit(tell)
        return self.outcome

    def _close(self) -> None:
        """The faults end; those who insist have a while."""
        self._closed.set()
        self._victims.release()
        self.phase = "last buyers"
        darkness = threading.Timer(INSISTENCE, self._dark.set)
        darkness.daemon = True
        darkness.start()

    def _harm(self) -> None:
        aim, journal = self._aim, self._journal
        for fault in plan.faults(aim.seed, aim.orders, aim.kills):
            if self.outcome.kills >= aim.kills:
                self._await_orders(aim.orders, STANDSTILL)
                return
            self._await_orders(journal.counts["orders"] + fault.gap, LULL)
            if journal.seconds > aim.seconds:
                return
            began = journal.seconds
            if self._victims.suffer(fault):
                self.outcome.faults.append((began, fault))

    def _await_orders(self, count: int, patience: float) -> None:
        """Until there are so many, or have been none for a while."""
        journal = self._journal
        seen, since = journal.counts["orders"], journal.seconds
        while seen < count and journal.seconds < min(since + patience, self._aim.seconds):
            time.sleep(0.05)
            if journal.counts["orders"] > seen:
                seen, since = journal.counts["orders"], journal.seconds

    def _buy(self, number: int, staff: Client, products: list[dict[str, Any]]) -> None:
        client = Client(self._place.url, self._journal, self._dark)
        client.sign_up(f"{uuid.uuid4().hex}@example.com", PASSWORD)
        client.confirm(Path(self._place.environment()["MAIL_OUTBOX"]))
        chance = plan.buyer(self._aim.seed, number)
        buyer = Buyer(client, staff, self._journal, chance, products, self._to_pack.put)
        while not self._closed.is_set():
            buyer.visit()

    def _keep_store(self, staff: Client, products: list[dict[str, Any]]) -> None:
        chance = plan.buyer(self._aim.seed, -1)
        keeper = Storekeeper(staff, self._journal, chance, products)
        while not self._closed.wait(0.05):
            keeper.visit()

    def _pack(self, staff: Client) -> None:
        packer = Packer(staff, self._journal, plan.buyer(self._aim.seed, -3))
        while not (self._closed.is_set() and self._to_pack.empty()):
            with suppress(queue.Empty):
                packer.visit(self._to_pack.get(timeout=0.2))

    def _repeat_events(self) -> None:
        chance = plan.buyer(self._aim.seed, -2)
        engines = [
            sa.create_engine(
                configuration.database_url(self._config, package), poolclass=sa.NullPool
            )
            for package in ("orders", "payments", "notifications")
        ]
        while not self._closed.wait(1):
            with suppress(sa.exc.DBAPIError), chance.choice(engines).begin() as connection:
                connection.execute(sa.text(_REPEAT))

    def _audit(self, tell: Callable[[Invariant, Verdict], None]) -> None:
        self.phase = "coming to rest"
        with Books(self._config) as books:
            port = self._place.ports["RABBITMQ_MANAGEMENT_PORT"]
            queues = f"http://127.0.0.1:{port}/api/queues"
            rest = Rest(books, self._place.url, queues, for_buyers=self._is_private)
            self.outcome.unrest = rest.wait(self._aim.rest, self._tell_rest)
            self.phase = "verifying"
            rules = (
                *INVARIANTS,
                reconciled.invariant(self._config["AMQP_URI"], self._began),
                *acknowledged.invariants(self._journal),
            )
            self.outcome.verdicts = verify(books, self._aim.settle, rules, tell)
            self.outcome.provider = {
                name: books.value("payments", statement) for name, statement in _PROVIDER.items()
            }
        self.phase = "done"

    def _tell_rest(self, left: dict[str, int]) -> None:
        waiting = ", ".join(f"{count} {name}" for name, count in left.items())
        self.phase = f"coming to rest: {waiting}" if left else "coming to rest"

    def _employee(self) -> Client:
        email = f"{uuid.uuid4().hex}@example.com"
        with ClusterRpcProxy({"AMQP_URI": self._config["AMQP_URI"]}, timeout=20) as rpc:
            rpc.users.create(email=email, password=PASSWORD, role="admin", actor=SYSTEM)
        client = Client(self._place.url, self._journal, self._dark)
        client.log_in(email, PASSWORD)
        return client

    def _stock_up(self, staff: Client) -> list[dict[str, Any]]:
        """The products that all want, with stock at two locations."""
        chance = random.Random(self._aim.seed)  # noqa: S311
        goods = (
            {"name": f"Storm lantern {n}", "price": f"{chance.randint(5, 60)}.00", "stock": STOCK}
            for n in range(PRODUCTS)
        )
        place = {"code": ELSEWHERE, "name": "Storm shed", "priority": 500}
        staff.call("POST", "/api/locations", place, known=(201, 409))
        products = [staff.call("POST", "/api/products", one, known=(201,)).body for one in goods]
        more = {"delta": STOCK, "reason": "chaos begins"}
        for product in products:
            path = f"/api/inventory/{product['id']}?location={ELSEWHERE}"
            staff.call("PATCH", path, more)
        return products
