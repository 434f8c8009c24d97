"""`reserve` in one statement does what it does step by step, or nothing."""

import datetime
import uuid
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from chassis import database
from chassis.database import database_of
from chassis.errors import Fault
from chassis.identity import Actor
from products.catalog import store
from products.stock import ledger, reservation_store
from products.stock import queries as stock_queries
from tests.integration.inventory import books

START = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
LONGEST = datetime.timedelta(hours=1)
#: More than any product is stocked with, so that some order is always short.
MOST = 6

PRODUCT = st.integers(0, 2)
LINES = st.lists(st.tuples(PRODUCT, st.integers(1, 4)), min_size=1, max_size=4)
MINUTES = st.sampled_from((5, 5, 20, 60, 61, 0))
STEPS = st.one_of(
    st.tuples(st.just("reserve"), st.integers(0, 4), LINES, MINUTES),
    st.tuples(st.just("reserve"), st.integers(0, 4), LINES, MINUTES),
    st.tuples(st.just("commit"), st.integers(0, 4)),
    st.tuples(st.just("release"), st.integers(0, 4)),
    st.tuples(st.just("adjust"), PRODUCT, st.integers(-3, 3)),
    st.tuples(st.just("delete"), PRODUCT),
    st.tuples(st.just("wait"), st.sampled_from((5, 15))),
)
_COUNTERS = sa.text(
    "SELECT variant_id, on_hand, reserved FROM stock WHERE variant_id = ANY(:products)"
)
_ORDERS = sa.text("""
    SELECT order_id, state, expires_at, variant_id, quantity, held_until,
        (SELECT (sum(delta_on_hand), sum(delta_reserved)) FROM movements
            WHERE (order_id, variant_id) = (line.order_id, line.variant_id))
    FROM reservations LEFT JOIN reservation_lines line USING (order_id)
    WHERE order_id = ANY(:orders) ORDER BY variant_id
""").bindparams(sa.bindparam("orders", type_=sa.ARRAY(sa.UUID)))

_ROWS = [
    sa.text(f"SELECT {columns} WHERE order_id = :order ORDER BY variant_id")
    for columns in (
        "*, 0 AS variant_id FROM reservations",
        "* FROM reservation_lines",
        "row_number() OVER (ORDER BY id), variant_id, kind, delta_on_hand, delta_reserved, reason,"
        " actor, at FROM movements",
        "stock.* FROM stock JOIN reservation_lines USING (variant_id)",
    )
]


class Shop:
    """Three products and five orders, who reserve their stock in one way or the other."""

    def __init__(self, engine, at_once, counts):
        self.engine, self.at_once = engine, at_once
        self.now = START
        self.orders = [uuid.uuid4() for _ in range(5)]
        self.products = [self._do(self._create, count) for count in counts]

    def _do(self, work, *args):
        with Session(self.engine) as session, session.begin():
            return work(session, *args)

    def _create(self, session, count):
        fields = {"sku": str(uuid.uuid4()), "name": "Kettle", "description": ""}
        fields |= {"price": Decimal(1), "currency": "EUR", "category_id": None}
        fields |= {"images": [], "attributes": {}}
        return store.add(session, fields, count, Actor.SYSTEM, self.now)

    def outcome(self, step):
        """The state of the order, if it has one; a refusal with what it says of which line."""
        what, *args = step
        try:
            answer = getattr(self, what)(*args)
        except Fault as fault:
            lines = fault.data.get("lines", ())
            named = [
                {name: self._place(n) if name.endswith("_id") else n for name, n in line.items()}
                for line in lines
            ]
            return fault.code, named, getattr(fault, "errors", None)
        return answer and (answer.get("state"), answer.get("expires_at"))

    def _place(self, variant_id):
        return self.products.index(variant_id)

    def reserve(self, order, lines, minutes):
        lines = [{"variant_id": self.products[place], "quantity": n} for place, n in lines]
        until = self.now + datetime.timedelta(minutes=minutes)
        asked = self.orders[order], lines, until, self.now, LONGEST
        if self.at_once:
            with database.statement_by_statement(self.engine) as connection:
                held = reservation_store.reserve_new(connection, *asked)
            if held:
                return held
        return self._do(reservation_store.reserve, *asked)

    def commit(self, order):
        return self._do(reservation_store.commit, self.orders[order], self.now)

    def release(self, order):
        return self._do(reservation_store.release, self.orders[order], "test", self.now)

    def adjust(self, place, delta):
        product = self.products[place]
        self._do(ledger.adjust, product, "MAIN", delta, None, "test", None, Actor.SYSTEM, self.now)

    def delete(self, place):
        self._do(store.remove, self.products[place], None, self.now)

    def wait(self, minutes):
        self.now += datetime.timedelta(minutes=minutes)

    def levels(self):
        """What readers see."""
        levels = [self._do(stock_queries.get, product, self.now) for product in self.products]
        return [(level["on_hand"], level["reserved"], level["available"]) for level in levels]

    def books(self):
        """What is written, once nobody holds anything that is over: counters, and what each order
        has, is and has moved of each product in all."""
        self._do(reservation_store.expire, self.now, 100)
        with self.engine.connect() as connection:
            counters = connection.execute(_COUNTERS, {"products": self.products}).all()
            orders = connection.execute(_ORDERS, {"orders": self.orders}).all()
        return (
            sorted((self._place(product), *counts) for product, *counts in counters),
            {
                (self.orders.index(order), product and self._place(product)): row
                for order, state, until, product, *had in orders
                for row in [(state, until, *had)]
            },
        )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(counts=st.tuples(*[st.integers(0, MOST)] * 3), steps=st.lists(STEPS, max_size=12))
def test_both_ways_tell_and_write_the_same(engine, counts, steps):
    """Step for step the same answers, refusals and levels; in the end, the same books."""
    quick, slow = Shop(engine, True, counts), Shop(engine, False, counts)
    for step in steps:
        assert quick.outcome(step) == slow.outcome(step)
        assert quick.levels() == slow.levels()
    assert quick.books() == slow.books()
    assert books.discrepancies(engine) == []


def test_both_ways_write_the_same_rows(engine):
    """All columns of all tables."""
    shop = Shop(engine, True, (3, 4, 5))
    order, (first, _, last) = shop.orders[0], shop.products
    lines = [{"variant_id": product, "quantity": n} for product, n in ((last, 1), (first, 2))]
    asked = order, [*lines, lines[0]], START + LONGEST, START, LONGEST
    written, answers = [], []
    for way in (reservation_store.reserve_new, reservation_store.reserve):
        with Session(engine) as session:  # that is rolled back
            answers.append(way(session, *asked))
            written.append([session.execute(query, {"order": order}).all() for query in _ROWS])
    assert answers[0] == answers[1]
    assert written[0] == written[1]
    assert [len(rows) for rows in written[0]] == [1, 2, 2, 2]


def test_the_usual_way_is_one_statement(service, product, reserve, level):
    """Of its own transaction; another one only for what is unusual."""
    engine, seen, kettle, mug = database_of(service).engine, [], product(), product()
    sa.event.listen(
        engine,
        "before_cursor_execute",
        lambda _, cursor, *rest: seen.append(cursor.connection.autocommit),
    )
    held = reserve((mug, 1), (kettle, 2))
    assert seen == [True]
    assert [level(kettle), level(mug)] == [(5, 2), (5, 1)]
    seen.clear()
    assert reserve((mug, 1), (kettle, 2), order_id=held["order_id"]) == held
    assert seen == [True, False, False, False, False]


@pytest.mark.parametrize("minutes", [-1, 0, 61])
def test_a_wrong_hold_is_left_to_the_long_way(engine, minutes):
    """It knows what comes first, a repeat or a refusal."""
    shop = Shop(engine, True, (1, 1, 1))
    shop.outcome(("reserve", 0, [(0, 1)], 5))
    assert shop.outcome(("reserve", 0, [(0, 1)], minutes))[0] == "reserved"
    assert shop.outcome(("reserve", 1, [(1, 1)], minutes))[0] == "invalid"
