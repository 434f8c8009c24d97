"""Orders that are paid take their stock for good, those that are cancelled give it back."""

import uuid

import pytest
import sqlalchemy as sa

from tests.integration import events
from tests.support import eventually


@pytest.fixture
def paid(config, engine):
    """`paid(order)`: inventory has heard that it is paid; of which orders it has told that their
    stock is lost, by then."""

    def tell(order, event_id=None):
        payload = events.of_order(order)
        event_id = events.publish(config["AMQP_URI"], "orders", "order_paid", payload, event_id)
        applied = sa.text("SELECT count(*) FROM inbox WHERE event_id = :id")
        lost = sa.text("SELECT payload->>'order_id' FROM outbox WHERE type = 'stock_lost'")
        with engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            eventually(lambda: connection.scalar(applied, {"id": event_id}) == 1)
            return connection.scalars(lost).all()

    return tell


def test_a_paid_order_keeps_its_stock(inventory, product, reserve, level, clock, paid):
    """By its event, however often that comes; also when it was committed before, by a call. It is
    held for good."""
    kettle, mug, event_id = product(stock=5), product(stock=5), uuid.uuid4()
    told, called = str(uuid.uuid4()), str(uuid.uuid4())
    reserve((kettle, 2), (mug, 1), order_id=told)
    reserve((mug, 2), order_id=called)
    inventory.commit(order_id=called)
    for order, its_id in ((told, event_id), (told, event_id), (called, None)):
        assert paid(order, its_id) == []
    assert [level(kettle), level(mug)] == [(5, 2), (5, 3)]
    kinds = [m["kind"] for m in inventory.movements(variant_id=kettle)["items"]]
    assert kinds == ["reserve", "initial"]
    clock.advance(hours=1)
    assert [level(kettle), level(mug)] == [(5, 2), (5, 3)]


def test_a_paid_order_that_is_heard_of_late(by_hand, product, reserve, level, clock, paid):
    """Its hold is over: it gets what is there still; where another has taken that, orders is told,
    and nothing is taken."""
    kettle, mug = product(stock=1), product(stock=1)
    lucky, late = str(uuid.uuid4()), str(uuid.uuid4())
    reserve((mug, 1), order_id=lucky)
    reserve((kettle, 1), order_id=late)
    clock.advance(minutes=31)
    reserve((kettle, 1))
    assert paid(lucky) == []
    assert level(mug) == (1, 1)
    assert paid(late) == [late]
    assert level(kettle) == (1, 1)


def test_a_paid_order_that_has_no_stock(inventory, product, reserve, level, paid):
    """Neither one that gave it back nor one that never had any goes without a word."""
    kettle, released, unknown = product(stock=1), str(uuid.uuid4()), str(uuid.uuid4())
    reserve((kettle, 1), order_id=released)
    inventory.release(order_id=released)
    paid(released)
    assert paid(unknown) == [released, unknown]
    assert level(kettle) == (1, 0)


def test_a_cancelled_order_gives_its_stock_back(
    config, inventory, product, reserve, level, eventually
):
    """Whatever state its reservation is in: held or sold."""
    kettle = product(stock=5)
    unpaid, paid = str(uuid.uuid4()), str(uuid.uuid4())
    reserve((kettle, 2), order_id=unpaid)
    reserve((kettle, 3), order_id=paid)
    inventory.commit(order_id=paid)
    for order in (unpaid, paid):
        events.publish(config["AMQP_URI"], "orders", "order_cancelled", events.of_order(order))
    eventually(lambda: level(kettle) == (5, 0))


def test_an_event_is_applied_once(config, engine, inventory, product, reserve, level, eventually):
    """A duplicate finds its id in the inbox."""
    kettle, order = product(stock=5), str(uuid.uuid4())
    reserve((kettle, 2), order_id=order)
    event_id = uuid.uuid4()
    last = str(uuid.uuid4())
    for cancelled, its_id in ((order, event_id), (order, event_id), (last, None)):
        payload = events.of_order(cancelled)
        events.publish(config["AMQP_URI"], "orders", "order_cancelled", payload, its_id)

    def handled():
        with engine.connect() as connection:
            return connection.scalar(sa.text("SELECT count(*) FROM inbox")) == 2

    eventually(handled)
    assert level(kettle) == (5, 0)
    kinds = [m["kind"] for m in inventory.movements(variant_id=kettle)["items"]]
    assert kinds == ["release", "reserve", "initial"]
