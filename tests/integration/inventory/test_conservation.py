"""Whatever happens in whatever order, nothing is lost or invented."""

import contextlib
import datetime
import uuid
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from chassis.errors import Fault
from chassis.identity import Actor
from products.catalog import store
from products.stock import ledger, reservation_store
from products.stock import queries as stock_queries
from tests.integration.inventory import books

START = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
STOCK = 6

ORDERS = st.integers(0, 3)
LINES = st.lists(
    st.fixed_dictionaries({"variant_id": st.integers(0, 2), "quantity": st.integers(1, 4)}),
    min_size=1,
    max_size=3,
)
STEPS = st.one_of(
    st.tuples(st.just("reserve"), ORDERS, LINES),
    st.tuples(st.just("commit"), ORDERS, st.none()),
    st.tuples(st.just("release"), ORDERS, st.none()),
    st.tuples(st.just("adjust"), st.integers(0, 2), st.integers(-4, 4)),
    st.tuples(st.just("wait"), st.integers(0, 0), st.none()),
    st.tuples(st.just("sweep"), st.integers(1, 5), st.none()),
)


class Shop:
    """Three products and four orders of one example, on a clock of its own."""

    def __init__(self, engine):
        self.engine = engine
        self.now = START
        self.orders = [uuid.uuid4() for _ in range(4)]
        self.products = [self._do(self._create) for _ in range(3)]

    def _do(self, work):
        with Session(self.engine) as session, session.begin():
            return work(session)

    def _create(self, session):
        fields = {"sku": str(uuid.uuid4()), "name": "Kettle", "description": ""}
        fields |= {"price": Decimal(1), "currency": "EUR", "category_id": None}
        fields |= {"images": [], "attributes": {}}
        return store.add(session, fields, STOCK, Actor.SYSTEM, self.now)

    def levels(self):
        return [self._do(lambda s, p=p: stock_queries.get(s, p, self.now)) for p in self.products]

    def on_hand(self):
        return {level["variant_id"]: level["on_hand"] for level in self.levels()}

    def reserved(self):
        return sum(level["reserved"] for level in self.levels())

    def step(self, what, which, how):
        """Do one step; a refusal is fine, it only must not change anything."""
        with contextlib.suppress(Fault):
            getattr(self, what)(which, how)

    def reserve(self, order, lines):
        lines = [{**line, "variant_id": self.products[line["variant_id"]]} for line in lines]
        expires_at = self.now + HOUR
        self._do(
            lambda session: reservation_store.reserve(
                session, self.orders[order], lines, expires_at, self.now, 2 * HOUR
            )
        )

    def commit(self, order, _):
        self._do(lambda session: reservation_store.commit(session, self.orders[order], self.now))

    def release(self, order, _):
        self._do(
            lambda session: reservation_store.release(session, self.orders[order], "test", self.now)
        )

    def adjust(self, product, delta):
        self._do(
            lambda session: ledger.adjust(
                session,
                self.products[product],
                "MAIN",
                delta,
                None,
                "test",
                None,
                Actor.SYSTEM,
                self.now,
            )
        )

    def wait(self, *_):
        self.now += 0.4 * HOUR

    def sweep(self, batch, _):
        self._do(lambda session: reservation_store.expire(session, self.now, batch))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEPS, max_size=25))
def test_the_ledger_accounts_for_every_unit(engine, steps):
    """After any steps the counters are the sums of the movements, the reserved units are those
    that orders hold, and no more was sold than there was."""
    shop = Shop(engine)
    for step in steps:
        shop.step(*step)
        assert books.discrepancies(engine) == []


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEPS, max_size=15))
def test_in_the_end_all_is_given_back(engine, steps):
    """When every order is released, what is on hand is what came in, and nothing is reserved."""
    shop = Shop(engine)
    came_in = dict.fromkeys(shop.products, STOCK)
    for what, which, how in steps:
        before = shop.on_hand()
        shop.step(what, which, how)
        if what == "adjust":
            came_in = {p: came_in[p] + now - before[p] for p, now in shop.on_hand().items()}
    for order in range(4):
        shop.release(order, None)
    assert shop.on_hand() == came_in
    assert shop.reserved() == 0
