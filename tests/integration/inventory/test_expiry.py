"""Reservations end at their moment, swept or not."""

import datetime
import uuid

import eventlet
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from products.service import InventoryService
from products.stock import reservation_store
from tests.support import run_timer, until_rival_waits


@pytest.fixture
def expired(by_hand, product, reserve, clock):
    """A product with 5 on hand, of which an order held 4 until a moment ago: (product, order)."""
    kettle, order = product(stock=5), str(uuid.uuid4())
    reserve((kettle, 4), order_id=order, minutes=30)
    clock.advance(minutes=31)
    return kettle, order


def state(engine, order):
    with engine.connect() as connection:
        query = sa.text("SELECT state FROM reservations WHERE order_id = :order")
        return connection.scalar(query, {"order": order})


def test_free_at_every_read(call, inventory, expired, level):
    """What has expired is available at once: in the catalog, the counters and the check."""
    kettle, _ = expired
    assert level(kettle) == (5, 0)
    assert call.products.get(product_id=kettle)["available"] == 5
    assert call.products.get_many(ids=[kettle])["items"][0]["available"] == 5
    assert inventory.check(items=[{"variant_id": kettle, "quantity": 5}])["items"][0]["available"]


def test_what_expires_of_one_product_frees_no_other(by_hand, product, reserve, clock, level):
    """To the moment, and whichever came first."""
    clock.stop()
    first, kettle, last = product(stock=5), product(stock=5), product(stock=5)
    reserve((first, 1), (last, 2), minutes=60)
    reserve((kettle, 4), minutes=30)
    clock.advance(minutes=30)
    assert [level(one) for one in (first, kettle, last)] == [(5, 1), (5, 0), (5, 2)]


def test_a_sold_out_product_is_back_in_the_list(by_hand, call, inventory, product, reserve, clock):
    """The filter by stock knows expiry too."""
    kettle = product(stock=2)
    reserve((kettle, 2), minutes=30)
    assert call.products.list(in_stock=True)["items"] == []
    clock.advance(minutes=31)
    assert [p["id"] for p in call.products.list(in_stock=True)["items"]] == [kettle]
    assert call.products.list(in_stock=False)["items"] == []


def test_not_a_moment_before(by_hand, product, reserve, clock):
    """Until then it is held against all others."""
    kettle = product(stock=1)
    reserve((kettle, 1), minutes=30)
    clock.advance(minutes=29)
    with pytest.raises(Conflict):
        reserve((kettle, 1))


def test_another_order_takes_it(inventory, expired, reserve, level):
    """`reserve` frees what expired of the products it takes, with a row in the ledger."""
    kettle, order = expired
    reserve((kettle, 5))
    assert level(kettle) == (5, 5)
    taken, freed, *_ = inventory.movements(variant_id=kettle)["items"]
    assert (taken["kind"], freed["kind"], freed["order_id"]) == ("reserve", "expire", order)


def test_paid_late_but_nobody_took_it(inventory, expired, level):
    """Stock that is still held is sold to the order that held it, though its time was over."""
    kettle, order = expired
    assert inventory.commit(order_id=order)["state"] == "committed"
    assert level(kettle) == (5, 4)


def test_paid_late_and_some_is_gone(inventory, product, reserve, clock, by_hand, level):
    """What others took meanwhile is taken again if it is there, else nothing is."""
    kettle, mug, order = product(stock=2), product(stock=2), str(uuid.uuid4())
    reserve((kettle, 2), (mug, 2), order_id=order, minutes=30)
    clock.advance(minutes=31)
    other = reserve((mug, 1))["order_id"]
    with pytest.raises(Conflict) as short:
        inventory.commit(order_id=order)
    assert short.value.code == "out_of_stock"
    assert short.value.data["lines"] == [
        {"variant_id": mug, "product_id": mug, "requested": 2, "available": 1}
    ]
    assert [level(kettle), level(mug)] == [(2, 0), (2, 1)]
    inventory.release(order_id=other)
    assert inventory.commit(order_id=order)["state"] == "committed"
    assert [level(kettle), level(mug)] == [(2, 2), (2, 2)]


def test_taken_by_another_while_it_is_paid(engine, inventory, expired, clock, level):
    """A commit that waits while another order frees its lines sees that they are gone."""
    kettle, order = expired
    other, lines = uuid.uuid4(), [{"variant_id": kettle, "quantity": 5}]
    hour = datetime.timedelta(hours=1)
    with Session(engine) as session, session.begin():
        reservation_store.reserve(session, other, lines, clock() + hour, clock(), 2 * hour)
        paying = eventlet.spawn(inventory.commit, order_id=order)
        until_rival_waits(session)
    with pytest.raises(Conflict) as short:
        paying.wait()
    assert short.value.code == "out_of_stock"
    assert level(kettle) == (5, 5)


def test_the_same_order_may_reserve_again(engine, expired, reserve, level):
    """A repeated reserve whose hold is over takes anew, with the new end."""
    kettle, order = expired
    again = reserve((kettle, 4), order_id=order, minutes=30)
    assert again["state"] == state(engine, order) == "reserved"
    assert level(kettle) == (5, 4)


def test_release_after_the_end(inventory, expired, reserve, level):
    """Giving back what had expired frees nothing twice."""
    kettle, order = expired
    reserve((kettle, 5))
    inventory.release(order_id=order)
    assert level(kettle) == (5, 5)


def test_the_sweeper_tidies(by_hand, service, engine, product, reserve, clock, eventually, level):
    """Expired reservations are closed without anybody asking, others are not touched."""
    kettle, mug = product(stock=5), product(stock=5)
    over, running = str(uuid.uuid4()), str(uuid.uuid4())
    reserve((kettle, 2), (mug, 1), order_id=over, minutes=30)
    reserve((kettle, 1), order_id=running, minutes=90)
    clock.advance(minutes=31)
    run_timer(service, "free_expired")
    assert (state(engine, over), state(engine, running)) == ("expired", "reserved")
    with engine.connect() as connection:
        counters = connection.execute(sa.text("SELECT reserved FROM stock ORDER BY variant_id"))
        assert counters.scalars().all() == [1, 0]


def test_the_sweeper_skips_what_others_work_on(by_hand, service, engine, product, reserve, clock):
    """A reservation that is being committed is left alone; the sweeper does not wait for it."""
    kettle = product(stock=5)
    busy, idle = str(uuid.uuid4()), str(uuid.uuid4())
    for order in (busy, idle):
        reserve((kettle, 1), order_id=order, minutes=30)
    clock.advance(minutes=31)
    with engine.connect() as connection:
        lock = sa.text("SELECT 1 FROM reservations WHERE order_id = :order FOR UPDATE")
        connection.execute(lock, {"order": busy})
        run_timer(service, "free_expired")
        assert (state(engine, busy), state(engine, idle)) == ("reserved", "expired")
    run_timer(service, "free_expired")
    assert state(engine, busy) == "expired"


def test_the_sweeper_goes_on_to_the_last(by_hand, service, engine, product, reserve, clock):
    """More than a batch at once is swept in one run."""
    kettle = product(stock=20)
    for _ in range(7):
        reserve((kettle, 1), minutes=30)
    clock.advance(minutes=31)
    settings = next(d for d in service.dependencies if d.attr_name == "settings")
    settings.values["sweep_batch"] = 3
    run_timer(service, "free_expired")
    with engine.connect() as connection:
        states = connection.execute(sa.text("SELECT DISTINCT state FROM reservations"))
        assert states.scalars().all() == ["expired"]


def test_two_instances_free_each_once(start, service, engine, product, reserve, clock):
    """Several batches of both, swept at the same time: each movement is booked once."""
    (other,) = start(InventoryService)
    kettle = product(stock=60)
    for _ in range(60):
        reserve((kettle, 1), minutes=30)
    for instance in (service, other):
        settings = next(d for d in instance.dependencies if d.attr_name == "settings")
        settings.values["sweep_batch"] = 4
    clock.advance(minutes=31)
    for sweeping in [
        eventlet.spawn(run_timer, instance, "free_expired") for instance in (service, other)
    ]:
        sweeping.wait()
    with engine.connect() as connection:
        expired = "SELECT count(*) FROM movements WHERE reason = 'reservation expired'"
        assert connection.scalar(sa.text(expired)) == 60
