"""Stock and what orders hold of it, beside a few dictionaries."""

import datetime
import uuid
from collections import Counter
from decimal import Decimal

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chassis.identity import Actor
from products.catalog import store
from products.models import Location
from products.stock import ledger, reservation_store
from products.stock import queries as stock_queries
from tests.model.world import Machine, outcome

LONGEST = datetime.timedelta(hours=1)
#: An order at the counter, of which there are three at a time; and a product.
ORDER = st.integers(0, 2)
PRODUCT = st.integers(0, 1)
LINES = st.lists(st.tuples(PRODUCT, st.integers(1, 3)), min_size=1, max_size=3)
#: Where stock lies, in the order in which it is promised; the second may be closed.
PLACES = ("MAIN", "AMS")
LOCATION = st.sampled_from(PLACES)

_BOOKS = sa.text("""
    SELECT variant_id, location, on_hand, reserved,
        (SELECT (coalesce(sum(delta_on_hand), 0), coalesce(sum(delta_reserved), 0))
            = (on_hand, reserved) FROM movements m
            WHERE (m.variant_id, m.location) = (s.variant_id, s.location)) AS moved,
        (SELECT coalesce(sum(quantity - shipped - cancelled), 0) = reserved
            FROM reservation_lines l WHERE held_until IS NOT NULL
            AND (l.variant_id, l.location) = (s.variant_id, s.location)) AS held
    FROM stock s WHERE variant_id = ANY(:products)
""")
_OF_ORDERS = sa.text("""
    SELECT order_id, variant_id, location, sum(delta_on_hand), sum(delta_reserved)
    FROM movements WHERE order_id = ANY(:orders) GROUP BY order_id, variant_id, location
""").bindparams(sa.bindparam("orders", type_=sa.ARRAY(sa.UUID)))
_CLOSE = sa.text("UPDATE locations SET active = :active WHERE code = 'AMS'")


def reserve_as_asked(session, *asked):
    """As the service does it."""
    return reservation_store.reserve_new(session, *asked) or reservation_store.reserve(
        session, *asked
    )


class Hold:
    """An order in the model: `reserved`, `committed` or `released`; what it asked for, and by place
    what it gets and how many of that are shipped and cancelled."""

    def __init__(self, wanted, places, until, state="reserved"):
        self.wanted, self.places, self.until, self.state = wanted, places, until, state
        self.shipped, self.cancelled = Counter(), Counter()

    def open(self, place):
        return self.places.get(place, 0) - self.shipped[place] - self.cancelled[place]

    def missing(self):
        """How many of each product are still to leave."""
        left = Counter()
        for place in self.places:
            left[place[0]] += self.open(place)
        return +left


class Stock(Machine):
    """Model: how many of each product are at each place, and what each order holds until when."""

    @initialize(counts=st.tuples(*[st.integers(0, 6)] * 4))
    def open_shop(self, counts):
        with self.begin() as session:
            session.add(Location(code="AMS", name="Amsterdam", priority=2, active=True, version=1))
        self.orders = [uuid.uuid4() for _ in range(3)]
        self.counter = [0, 1, 2]
        self.on_hand = {
            (product, code): counts[product + 2 * number]
            for product in range(2)
            for number, code in enumerate(PLACES)
        }
        self.products = [self._product(product) for product in range(2)]
        self.on_sale = [True] * 2
        self.is_open = True
        self.holds = {}

    def _product(self, product):
        fields = {
            "sku": uuid.uuid4().hex, "name": "Kettle", "description": "", "price": Decimal(1),
            "currency": "EUR", "category_id": None, "images": [], "attributes": {},
        }  # fmt: skip
        with self.begin() as session:
            count = self.on_hand[product, "MAIN"]
            made = store.add(session, fields, count, Actor.SYSTEM, self.now)
            elsewhere = self.on_hand[product, "AMS"]
            change = made, "AMS", elsewhere, None, "delivery", None, Actor.SYSTEM, self.now
            ledger.adjust(session, *change)
            return made

    def _holds(self, order):
        """Whether all that it has still to get counts as promised."""
        hold = self.holds.get(order)
        if hold is None:
            return False
        return hold.state == "committed" or (hold.state == "reserved" and hold.until > self.now)

    def _reserved(self, place):
        held = (hold for order, hold in self.holds.items() if self._holds(order))
        return sum(hold.open(place) for hold in held)

    def _free(self, product):
        """How many can be had, at all places that are open."""
        return sum(self._free_at((product, code)) for code in self._open_places())

    def _free_at(self, place):
        return self.on_hand[place] - self._reserved(place)

    def _open_places(self):
        return PLACES if self.is_open else PLACES[:1]

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
        wanted = self.holds[order].wanted
        until = self.now + datetime.timedelta(minutes=5)
        self._reserve(order, list(wanted.items()), wanted, until)

    def _with_lines(self):
        return [order for order, hold in self.holds.items() if hold.wanted]

    def _over(self):
        return [
            order
            for order, hold in self.holds.items()
            if hold.state == "reserved" and not self._holds(order)
        ]

    def _reserve(self, order, lines, wanted, until):
        expected = self._reserving(order, wanted, until)
        sent = [{"variant_id": self.products[p], "quantity": n} for p, n in lines]
        is_new = expected == ("reserved", until) and not self._holds(order)
        got = self._do(reserve_as_asked, self.orders[order], sent, until, self.now, LONGEST)
        assert got == expected
        if is_new:
            places = self._allocated(order)
            self._check_allocation(wanted, places)
            self.holds[order] = Hold(wanted, places, until)

    def _allocated(self, order):
        """What the program has of the order, by place."""
        found = stock_queries.allocation(self.connection, self.orders[order])
        return {
            (self.products.index(line["variant_id"]), line["location"]): line["quantity"]
            for line in found["items"]
        }

    def _check_allocation(self, wanted, places):
        """All of it and no more, from what was free; from the first place that has everything."""
        assert all(n <= self._free_at(place) for place, n in places.items())
        for product, quantity in wanted.items():
            assert sum(n for place, n in places.items() if place[0] == product) == quantity
        for code in self._open_places():
            if all(self._free_at((product, code)) >= n for product, n in wanted.items()):
                assert {place[1] for place in places} == {code}
                break
        assert {code for _, code in places} <= set(self._open_places())

    def _reserving(self, order, wanted, until):
        hold = self.holds.get(order)
        if hold is not None and hold.state == "released":
            return "reservation_released"
        if hold is not None and hold.wanted != wanted:
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
        elif self._is_gone(order):
            expected = "out_of_stock"
        else:
            expected = "committed", hold.until
        assert self._do(reservation_store.commit, self.orders[order], self.now) == expected
        if expected[0] == "committed" and hold.state == "reserved":
            hold.places, hold.state = self._allocated(order), "committed"

    def _is_gone(self, order):
        """Its time was over, and others have taken what it held; whether that was so is for the
        program to say while nobody has asked for it."""
        hold = self.holds[order]
        if hold.state != "reserved" or self._holds(order) or self._is_written(order):
            return False
        return not self._enough(hold.wanted)

    def _is_written(self, order):
        """Whether the program has not yet freed what is over."""
        query = "SELECT count(*) FROM reservation_lines WHERE order_id = :id AND held_until IS NULL"
        return not self.connection.scalar(sa.text(query), {"id": self.orders[order]})

    @precondition(lambda self: self._committed())
    @rule(data=st.data())
    def ship(self, data):
        """What has left is neither there nor promised; the same parcel leaves once."""
        hold, place, quantity, order = self._some_units(data)
        parcel, units = uuid.uuid4(), {self.products[place[0]]: quantity}
        for _ in range(2):
            with self.begin() as session:
                about = self.orders[order], parcel, place[1], units, self.now
                assert reservation_store.ship(session, *about) == {}
        self.on_hand[place] -= quantity
        hold.shipped[place] += quantity

    @precondition(lambda self: self._committed())
    @rule(data=st.data())
    def cancel_units(self, data):
        """They are free again; those of the last place first."""
        hold, (product, _), quantity, order = self._some_units(data)
        with self.begin() as session:
            units = {self.products[product]: quantity}
            about = self.orders[order], uuid.uuid4(), units, {}, self.now
            reservation_store.cancel_units(session, *about)
        for code in sorted(PLACES, reverse=True):
            cancelled = min(quantity, hold.open((product, code)))
            hold.cancelled[product, code] += cancelled
            quantity -= cancelled

    def _committed(self):
        return [
            (order, place)
            for order, hold in self.holds.items()
            for place in hold.places
            if hold.state == "committed" and hold.open(place)
        ]

    def _some_units(self, data):
        order, place = data.draw(st.sampled_from(self._committed()))
        hold = self.holds[order]
        return hold, place, data.draw(st.integers(1, hold.open(place))), order

    @rule(is_open=st.booleans())
    def close(self, is_open):
        """A place that is closed promises nothing more; what it has promised, it ships."""
        self.is_open = is_open
        with self.begin() as session:
            session.execute(_CLOSE, {"active": is_open})

    @rule(place=ORDER)
    def release(self, place):
        """Once; what has not left is free, and nothing can be had afterwards."""
        order = self.counter[place]
        hold = self.holds.setdefault(order, Hold({}, {}, None))
        hold.state = "released"
        got = self._do(reservation_store.release, self.orders[order], "for a test", self.now)
        assert got == ("released", hold.until)

    @rule(product=PRODUCT, location=LOCATION, delta=st.integers(-6, 6))
    def adjust(self, product, location, delta):
        """Never below what is reserved there."""
        place = product, location
        self._adjust(place, self.on_hand[place] + delta, delta, None)

    @rule(product=PRODUCT, location=LOCATION, counted=st.integers(0, 10))
    def count(self, product, location, counted):
        """As `adjust`, by what somebody has counted."""
        self._adjust((product, location), counted, None, counted)

    def _adjust(self, place, left, delta, counted):
        wrong = left < self._reserved(place)
        product, location = place
        by = delta, counted, "counted", None, Actor.SYSTEM, self.now

        def act():
            with self.begin() as session:
                ledger.adjust(session, self.products[product], location, *by)

        assert (outcome(act) == "stock_reserved") == wrong
        if not wrong:
            self.on_hand[place] = left

    @rule(batch=st.integers(1, 3))
    def sweep(self, batch):
        """Tidies up; nobody can tell."""
        with self.begin() as session:
            assert reservation_store.expire(session, self.now, batch) <= batch

    @rule(minutes=st.sampled_from((1, 5)))
    def wait(self, minutes):
        self.later(minutes=minutes)

    @precondition(lambda self: self._ending())
    @rule(data=st.data())
    def take_over(self, data):
        """At the instant at which a hold is over another order can have all of it."""
        over = self.holds[data.draw(st.sampled_from(self._ending()))]
        self.now = over.until
        self._next(0)
        wanted = {product: self._free(product) for product in over.wanted}
        wanted = {product: quantity for product, quantity in wanted.items() if quantity}
        if not wanted:
            return
        until = self.now + datetime.timedelta(minutes=5)
        self._reserve(self.counter[0], list(wanted.items()), wanted, until)

    def _ending(self):
        held = [order for order in self.holds if self._holds(order)]
        return [order for order in held if self.holds[order].state == "reserved"]

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
        for product, product_id in enumerate(self.products):
            stock = stock_queries.get(self.connection, product_id, self.now)
            assert stock["available"] == self._free(product) >= 0
            for level in stock["locations"]:
                place = product, level["location"]
                assert level["on_hand"] == self.on_hand[place]
                assert level["reserved"] == self._reserved(place) <= level["on_hand"]

    @invariant()
    def a_check_tells_what_can_be_had(self):
        lines = [
            {"variant_id": variant_id, "quantity": quantity}
            for variant_id in self.products
            for quantity in (1, 2)
        ]
        checked = stock_queries.check(self.connection, lines, self.now, list)
        assert [line["available"] for line in checked] == [
            self.on_sale[product] and self._free(product) >= 3 for product in range(2) for _ in "12"
        ]

    @invariant()
    def the_ledger_accounts_for_everything(self):
        """Sums of movements are the counters, held lines what is reserved; an order has moved what
        was shipped of it, and what it holds."""
        books = self.connection.execute(_BOOKS, {"products": self.products}).all()
        assert len(books) == 4
        for row in books:
            assert 0 <= row.reserved <= row.on_hand
            assert row.moved
            assert row.held
        moved = {tuple(row[:3]): tuple(row[3:]) for row in self._moved_by_orders()}
        for order, hold in self.holds.items():
            for place in hold.places:
                key = self.orders[order], self.products[place[0]], place[1]
                assert moved.pop(key, (0, 0)) in self._movements(order, hold, place)
        # Elsewhere is what it held before its time was over and it was promised anew.
        assert set(moved.values()) <= {(0, 0)}

    def _moved_by_orders(self):
        return self.connection.execute(_OF_ORDERS, {"orders": self.orders})

    def _movements(self, order, hold, place):
        left = -hold.shipped[place]
        if hold.state == "released":
            return {(left, 0)}
        # What is over may be written off already, or later.
        held = (left, hold.open(place))
        return {held} if self._holds(order) else {held, (left, 0)}


def test_stock_is_as_in_the_model(walk):
    """Whatever orders, counters and time do: refused exactly when it has to be, and conserved."""
    walk(Stock, "products")
