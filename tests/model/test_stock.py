"""Stock and what orders hold of it, beside a few dictionaries."""

import datetime
import uuid
from decimal import Decimal

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chassis.identity import Actor
from products.catalog import store
from products.stock import ledger, reservation_store
from products.stock import queries as stock_queries
from tests.model.world import Machine, outcome

LONGEST = datetime.timedelta(hours=1)
#: An order at the counter, of which there are three at a time; and a product.
ORDER = st.integers(0, 2)
PRODUCT = st.integers(0, 1)
LINES = st.lists(st.tuples(PRODUCT, st.integers(1, 3)), min_size=1, max_size=3)

_BOOKS = sa.text("""
    SELECT variant_id, on_hand, reserved,
        (SELECT (coalesce(sum(delta_on_hand), 0), coalesce(sum(delta_reserved), 0))
            = (on_hand, reserved) FROM movements m WHERE m.variant_id = s.variant_id) AS moved,
        (SELECT coalesce(sum(quantity), 0) = reserved FROM reservation_lines l
            WHERE l.variant_id = s.variant_id AND held_until IS NOT NULL) AS held
    FROM stock s WHERE variant_id = ANY(:products)
""")
_OF_ORDERS = sa.text("""
    SELECT order_id, variant_id, sum(delta_on_hand), sum(delta_reserved)
    FROM movements WHERE order_id = ANY(:orders) GROUP BY order_id, variant_id
""").bindparams(sa.bindparam("orders", type_=sa.ARRAY(sa.UUID)))


def reserve_as_asked(session, *asked):
    """As the service does it."""
    return reservation_store.reserve_new(session, *asked) or reservation_store.reserve(
        session, *asked
    )


class Hold:
    """An order in the model: `reserved`, `committed` or `released`, and its quantities."""

    def __init__(self, lines, until, state="reserved"):
        self.lines, self.until, self.state = lines, until, state


class Stock(Machine):
    """Model: how many of each product are there, and what each order holds until when."""

    @initialize(counts=st.tuples(*[st.integers(0, 6)] * 2))
    def open_shop(self, counts):
        self.orders = [uuid.uuid4() for _ in range(3)]
        self.counter = [0, 1, 2]
        self.products = [self._product(count) for count in counts]
        self.on_hand = list(counts)
        self.on_sale = [True] * 2
        self.holds = {}

    def _product(self, count):
        fields = {
            "sku": uuid.uuid4().hex, "name": "Kettle", "description": "", "price": Decimal(1),
            "currency": "EUR", "category_id": None, "images": [], "attributes": {},
        }  # fmt: skip
        with self.begin() as session:
            return store.add(session, fields, count, Actor.SYSTEM, self.now)

    def _holds(self, order):
        hold = self.holds.get(order)
        return hold is not None and hold.state == "reserved" and hold.until > self.now

    def _reserved(self, product):
        held = (hold for order, hold in self.holds.items() if self._holds(order))
        return sum(hold.lines.get(product, 0) for hold in held)

    def _free(self, product):
        return self.on_hand[product] - self._reserved(product)

    def _enough(self, lines):
        return all(self._free(product) >= quantity for product, quantity in lines.items())

    @rule(place=ORDER)
    def next_please(self, place):
        """Another order comes to the counter; what the one before it has stays as it is."""
        self._next(place)

    def _next(self, place):
        self.orders.append(uuid.uuid4())
        self.counter[place] = len(self.orders) - 1

    # --- rules: what the model expects is worked out before the program is asked

    @rule(place=ORDER, lines=LINES, minutes=st.sampled_from((5, 5, 5, 30, 60, 61, 0)))
    def reserve(self, place, lines, minutes):
        """All or nothing; a repeat changes nothing, unless its time was over."""
        order = self.counter[place]
        wanted = {}
        for product, quantity in lines:
            wanted[product] = wanted.get(product, 0) + quantity
        until = self.now + datetime.timedelta(minutes=minutes)
        self._reserve(order, lines, wanted, until)

    @precondition(lambda self: self._with_lines())
    @rule(data=st.data())
    def reserve_again(self, data):
        """The same lines as before, as a repeat has them."""
        order = data.draw(st.sampled_from(self._with_lines()))
        wanted = self.holds[order].lines
        until = self.now + datetime.timedelta(minutes=5)
        self._reserve(order, list(wanted.items()), wanted, until)

    def _with_lines(self):
        return [order for order, hold in self.holds.items() if hold.lines]

    def _over(self):
        return [
            order
            for order, hold in self.holds.items()
            if hold.state == "reserved" and not self._holds(order)
        ]

    def _reserve(self, order, lines, wanted, until):
        expected = self._reserving(order, wanted, until)
        sent = [{"variant_id": self.products[p], "quantity": n} for p, n in lines]
        got = self._do(reserve_as_asked, self.orders[order], sent, until, self.now, LONGEST)
        assert got == expected
        if expected == ("reserved", until):
            self.holds[order] = Hold(wanted, until)

    def _reserving(self, order, wanted, until):
        hold = self.holds.get(order)
        if hold is not None and hold.state == "released":
            return "reservation_released"
        if hold is not None and hold.lines != wanted:
            return "reservation_conflict"
        if hold is not None and (hold.state == "committed" or self._holds(order)):
            return hold.state, hold.until
        if not self.now < until <= self.now + LONGEST:
            return "invalid"
        if not all(self.on_sale[product] for product in wanted) or not self._enough(wanted):
            return "out_of_stock"
        return "reserved", until

    @rule(place=ORDER)
    def commit(self, place):
        """What is held is there; what has expired has to be there still."""
        self._commit(self.counter[place])

    @precondition(lambda self: self._over())
    @rule(data=st.data())
    def commit_late(self, data):
        self._commit(data.draw(st.sampled_from(self._over())))

    def _commit(self, order):
        hold = self.holds.get(order)
        if hold is None:
            expected = "reservation_not_found"
        elif hold.state == "released":
            expected = "reservation_released"
        elif hold.state == "reserved" and not self._holds(order) and not self._enough(hold.lines):
            expected = "out_of_stock"
        else:
            expected = "committed", hold.until
        assert self._do(reservation_store.commit, self.orders[order], self.now) == expected
        if expected[0] == "committed" and hold.state == "reserved":
            hold.state = "committed"
            for product, quantity in hold.lines.items():
                self.on_hand[product] -= quantity

    @rule(place=ORDER)
    def release(self, place):
        """Once; what was sold comes back on the shelf, and nothing can be had afterwards."""
        order = self.counter[place]
        hold = self.holds.setdefault(order, Hold({}, None))
        if hold.state == "committed":
            for product, quantity in hold.lines.items():
                self.on_hand[product] += quantity
        hold.state = "released"
        got = self._do(reservation_store.release, self.orders[order], "for a test", self.now)
        assert got == ("released", hold.until)

    @rule(product=PRODUCT, delta=st.integers(-6, 6))
    def adjust(self, product, delta):
        """Never below what is reserved."""
        self._adjust(product, self.on_hand[product] + delta, delta, None)

    @rule(product=PRODUCT, counted=st.integers(0, 10))
    def count(self, product, counted):
        """As `adjust`, by what somebody has counted."""
        self._adjust(product, counted, None, counted)

    def _adjust(self, product, left, delta, counted):
        wrong = left < self._reserved(product)
        change = (
            self.products[product],
            "MAIN",
            delta,
            counted,
            "counted",
            None,
            Actor.SYSTEM,
            self.now,
        )

        def act():
            with self.begin() as session:
                ledger.adjust(session, *change)

        assert (outcome(act) == "stock_reserved") == wrong
        if not wrong:
            self.on_hand[product] = left

    @rule(batch=st.integers(1, 3))
    def sweep(self, batch):
        """Tidies up; nobody can tell."""
        with self.begin() as session:
            assert reservation_store.expire(session, self.now, batch) <= batch

    @rule(minutes=st.sampled_from((1, 5)))
    def wait(self, minutes):
        self.later(minutes=minutes)

    @precondition(lambda self: any(map(self._holds, self.holds)))
    @rule(data=st.data())
    def take_over(self, data):
        """At the instant at which a hold is over another order can have all of it."""
        held = [order for order in self.holds if self._holds(order)]
        over = self.holds[data.draw(st.sampled_from(held))]
        self.now = over.until
        self._next(0)
        wanted = {product: self._free(product) for product in over.lines}
        until = self.now + datetime.timedelta(minutes=5)
        self._reserve(self.counter[0], list(wanted.items()), wanted, until)

    @rule(product=PRODUCT)
    def take_off_the_shelf(self, product):
        """What orders hold of a deleted product they keep; nobody gets any more of it."""
        if self.on_sale[product] and sum(self.on_sale) > 1:
            self.on_sale[product] = False
            with self.begin() as session:
                store.remove(session, self.products[product], None, self.now)

    def _do(self, function, *args):
        """Its state and time limit, or the code of its refusal, which changes nothing."""

        def act():
            with self.begin() as session:
                answer = function(session, *args)
                return answer.get("state"), answer.get("expires_at")

        return outcome(act)

    # --- what holds after every step

    @invariant()
    def counters_are_those_of_the_model(self):
        for product, variant_id in enumerate(self.products):
            level = stock_queries.get(self.connection, variant_id, self.now)
            reserved = self._reserved(product)
            assert level["on_hand"] == self.on_hand[product]
            assert level["reserved"] == reserved
            assert level["available"] == self.on_hand[product] - reserved >= 0

    @invariant()
    def a_check_tells_what_can_be_had(self):
        lines = [
            {"variant_id": variant_id, "quantity": quantity}
            for variant_id in self.products
            for quantity in (1, 2)
        ]
        checked = stock_queries.check(self.connection, lines, self.now)
        assert [line["available"] for line in checked] == [
            self.on_sale[product] and self._free(product) >= 3 for product in range(2) for _ in "12"
        ]

    @invariant()
    def the_ledger_accounts_for_everything(self):
        """Sums of movements are the counters, held lines what is reserved; an order that was given
        back has moved nothing in the end, one that was paid its quantities."""
        books = self.connection.execute(_BOOKS, {"products": self.products}).all()
        assert len(books) == 2
        for row in books:
            assert 0 <= row.reserved <= row.on_hand
            assert row.moved
            assert row.held
        moved = {tuple(row[:2]): tuple(row[2:]) for row in self._moved_by_orders()}
        for order, hold in self.holds.items():
            for product, quantity in hold.lines.items():
                found = moved.pop((self.orders[order], self.products[product]))
                assert found in self._movements(order, hold, quantity)
        assert moved == {}

    def _moved_by_orders(self):
        return self.connection.execute(_OF_ORDERS, {"orders": self.orders})

    def _movements(self, order, hold, quantity):
        if hold.state == "committed":
            return {(-quantity, 0)}
        if hold.state == "released":
            return {(0, 0)}
        # What is over may be written off already, or later.
        return {(0, quantity)} if self._holds(order) else {(0, quantity), (0, 0)}


def test_stock_is_as_in_the_model(walk):
    """Whatever orders, counters and time do: refused exactly when it has to be, and conserved."""
    walk(Stock, "products")
