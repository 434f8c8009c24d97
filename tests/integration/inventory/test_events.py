"""Orders that are cancelled give their stock back."""

import uuid

import sqlalchemy as sa

from tests.integration import events


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
    kinds = [m["kind"] for m in inventory.movements(product_id=kettle)["items"]]
    assert kinds == ["release", "reserve", "initial"]
