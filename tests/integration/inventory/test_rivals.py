"""`reserve` in one statement beside others who are at work on the same order or stock.

What a statement sees of others is decided where it waits for them, so each test makes it wait.
"""

import random
import uuid

import eventlet
import psycopg2.errors
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from chassis.database import statement_by_statement
from chassis.errors import Fault
from chassis.identity import Actor
from products.catalog import store
from products.stock import ledger, reservation_store
from tests.integration.inventory import books
from tests.integration.inventory.test_two_ways import LONGEST, START

_WAITING = sa.text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
""")
_TRACES = [
    sa.text(f"SELECT count(*) FROM {table} WHERE order_id = :order")
    for table in ("reservations", "reservation_lines", "movements")
]


@pytest.fixture
def waiting(engine, eventually):
    """Returns when so many wait for a lock."""

    def wait(count=1):
        def look():
            with engine.connect() as connection:
                return connection.scalar(_WAITING) == count

        eventually(look)

    return wait


@pytest.fixture
def order():
    return uuid.uuid4()


def lines_of(wanted):
    return [{"variant_id": variant_id, "quantity": n} for variant_id, n in wanted]


def asked(order, *wanted):
    return order, lines_of(wanted), START + LONGEST, START, LONGEST


@pytest.fixture
def at_once(engine):
    """`at_once(order, (variant_id, quantity), ...)`, in a thread: what the statement came to."""

    def reserve(order, *wanted):
        with statement_by_statement(engine) as connection:
            return reservation_store.reserve_new(connection, *asked(order, *wanted))

    return lambda *args: eventlet.spawn(reserve, *args)


@pytest.fixture
def traces(engine):
    """How many rows an order has: (reservations, lines, movements)."""

    def count(order):
        with engine.connect() as connection:
            return tuple(connection.scalar(query, {"order": order}) for query in _TRACES)

    return count


@pytest.mark.parametrize(("theirs", "left"), [(1, (5, 5)), (2, (5, 2)), (5, (5, 5))])
def test_the_stock_is_counted_under_its_lock(
    engine, at_once, waiting, traces, product, level, order, theirs, left
):
    """What others have taken while it waited is gone: enough for both, or nothing has happened."""
    kettle, mug = product(stock=5), product(stock=5)
    with Session(engine) as session, session.begin():
        reservation_store.reserve(session, *asked(uuid.uuid4(), (kettle, theirs)))
        held = at_once(order, (mug, 1), (kettle, 4))
        waiting()
    if theirs == 1:
        assert held.wait()["state"] == "reserved"
        assert (level(kettle), level(mug), traces(order)) == (left, (5, 1), (1, 2, 2))
    else:
        assert held.wait() is None
        assert (level(kettle), level(mug), traces(order)) == (left, (5, 0), (0, 0, 0))


def test_what_comes_back_counts_too(engine, at_once, waiting, product, level, order):
    """It adds to the counters as they are, not as they were."""
    kettle, other = product(stock=9), uuid.uuid4()
    with Session(engine) as session, session.begin():
        reservation_store.reserve(session, *asked(other, (kettle, 3)))
    with Session(engine) as session, session.begin():
        reservation_store.release(session, other, "test", START)
        ledger.adjust(session, kettle, "MAIN", -2, None, "broken", None, Actor.SYSTEM, START)
        held = at_once(order, (kettle, 2))
        waiting()
    assert held.wait()["state"] == "reserved"
    assert level(kettle) == (7, 2)


@pytest.mark.parametrize("rival", ["reserve", "release"])
def test_a_rival_for_the_same_order_is_first(
    engine, at_once, waiting, traces, product, level, order, rival
):
    """It waits for the order with no stock locked, and then leaves it to the long way."""
    kettle = product(stock=5)
    with Session(engine) as session, session.begin():
        if rival == "reserve":
            reservation_store.reserve(session, *asked(order))
        else:
            reservation_store.release(session, order, "test", START)
        held = at_once(order, (kettle, 2))
        waiting()
        lock = sa.text("SELECT FROM stock WHERE variant_id = :kettle FOR UPDATE NOWAIT")
        session.execute(lock, {"kettle": kettle})
    assert held.wait() is None
    assert (level(kettle), traces(order)) == ((5, 0), (1, 0, 0))


def test_a_rival_that_gives_up_leaves_the_order(engine, at_once, waiting, product, level, order):
    """What was rolled back has never been."""
    kettle = product(stock=5)
    with Session(engine) as session:
        reservation_store.reserve(session, *asked(order, (kettle, 5)))
        held = at_once(order, (kettle, 2))
        waiting()
    assert held.wait()["state"] == "reserved"
    assert level(kettle) == (5, 2)


@pytest.mark.parametrize("late", ["reserve", "release"])
def test_who_comes_later_goes_by_its_outcome(engine, at_once, waiting, product, level, order, late):
    """The order is taken before any stock is waited for."""
    kettle = product(stock=5)
    with Session(engine) as session, session.begin():
        ledger.adjust(session, kettle, "MAIN", 1, None, "found", None, Actor.SYSTEM, START)
        held = at_once(order, (kettle, 2))
        waiting()

        def come():
            with Session(engine) as other, other.begin():
                if late == "reserve":
                    return reservation_store.reserve(other, *asked(order, (kettle, 2)))["state"]
                return reservation_store.release(other, order, "test", START)["state"]

        later = eventlet.spawn(come)
        waiting(2)
    assert held.wait()["state"] == "reserved"
    outcome = {"reserve": ("reserved", (6, 2)), "release": ("released", (6, 0))}
    assert (later.wait(), level(kettle)) == outcome[late]


def test_stock_is_locked_in_the_order_of_ids(engine, at_once, waiting, product, order):
    """Whatever the order of the lines: who waits for the first has none of the others."""
    shelf = [product(stock=5) for _ in range(4)]
    lock = sa.text("SELECT FROM stock WHERE variant_id = :id FOR UPDATE NOWAIT")
    with engine.connect() as connection, connection.begin():
        connection.execute(lock, {"id": shelf[1]})
        held = at_once(order, *[(variant_id, 1) for variant_id in reversed(shelf)])
        waiting()
        for free in shelf[2:]:
            connection.execute(lock, {"id": free})
        with pytest.raises(OperationalError) as taken:
            connection.execute(lock, {"id": shelf[0]})
        assert isinstance(taken.value.orig, psycopg2.errors.LockNotAvailable)
    assert held.wait()["state"] == "reserved"


def test_what_cannot_be_had_leaves_no_trace(engine, at_once, traces, product, order):
    """Deleted, unknown or too few: the long way says which. Then the order is as new."""
    kettle, mug = product(stock=5), product(stock=5)
    with Session(engine) as session, session.begin():
        store.remove(session, mug, None, START)
    for wanted in ((kettle, 1), (mug, 1)), ((kettle, 1), (10**9, 1)), ((kettle, 6),):
        assert at_once(order, *wanted).wait() is None
        assert traces(order) == (0, 0, 0)
    assert at_once(order, (kettle, 5)).wait()["state"] == "reserved"


@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_takes_no_more_than_there_is(engine, product, level, seed):
    """Orders of several products each, in both ways, some twice and some given back at once: no
    error, no deadlock, never oversold."""
    dice = random.Random(seed)
    shelf = [product(stock=40) for _ in range(5)]
    orders = {
        uuid.uuid4(): [(each, dice.randint(1, 3)) for each in dice.sample(shelf, 3)]
        for _ in range(150)
    }

    def way(quick, order):
        if quick:
            with statement_by_statement(engine) as connection:
                held = reservation_store.reserve_new(connection, *asked(order, *orders[order]))
            if held:
                return "reserved"
        try:
            with Session(engine) as session, session.begin():
                return reservation_store.reserve(session, *asked(order, *orders[order]))["state"]
        except Fault as refused:
            return refused.code

    def give_back(order):
        with Session(engine) as session, session.begin():
            return reservation_store.release(session, order, "test", START)["state"]

    work = [(way, dice.random() < 0.8, order) for order in [*orders, *dice.sample([*orders], 60)]]
    work += [(give_back, order) for order in dice.sample([*orders], 20)]
    dice.shuffle(work)
    crowd = eventlet.GreenPool(40)
    seen = {thread.wait() for thread in [crowd.spawn(*each) for each in work]}
    assert seen == {"reserved", "released", "out_of_stock", "reservation_released"}
    assert books.discrepancies(engine) == []
    assert {level(variant_id)[0] for variant_id in shelf} == {40}
